// accumulators: two sets of Pixels x OutputLanes sums, each in two single-port banks by pixel
// parity.
//
// The array adds to one set: it reads a pixel in one cycle (add_read_i) and writes it in the next;
// a pixel of the other parity is read meanwhile, so that one pixel a cycle passes. The drain reads
// the other set: drain_read_i, the sums are on drain_o a cycle later and stay until the next read.
`default_nettype none
module accumulators #(
  parameter OutputLanes = 4,
  parameter AccBits     = 20,
  parameter Pixels      = 16
) (
  input  wire                           clk_i,
  input  wire                           add_read_i,
  input  wire                           add_set_i,
  input  wire [11:0]                    add_index_i,
  input  wire                           add_first_i,   // begin at 0
  input  wire [OutputLanes*AccBits-1:0] sums_i,        // of the pixel read in the cycle before
  input  wire                           add_write_i,
  input  wire                           drain_read_i,
  input  wire                           drain_set_i,
  input  wire [11:0]                    drain_index_i,
  output wire [OutputLanes*AccBits-1:0] drain_o
);
  localparam Width = OutputLanes * AccBits;
  localparam Depth = Pixels / 2;
  localparam Bits  = Depth > 1 ? $clog2(Depth) : 1;

  reg        write_set_q, write_first_q;
  reg [11:0] write_index_q;
  always @(posedge clk_i)
    if (add_read_i) begin
      write_set_q   <= add_set_i;
      write_first_q <= add_first_i;
      write_index_q <= add_index_i;
    end

  reg drain_set_q, drain_odd_q;
  always @(posedge clk_i)
    if (drain_read_i) begin
      drain_set_q <= drain_set_i;
      drain_odd_q <= drain_index_i[0];
    end

  wire [4*Width-1:0] words;
  wire [Width-1:0]   old = words[{write_set_q, write_index_q[0]}*Width +: Width];
  reg  [Width-1:0]   added;
  integer lane;
  always @*
    for (lane = 0; lane < OutputLanes; lane = lane + 1)
      added[lane*AccBits +: AccBits] = sums_i[lane*AccBits +: AccBits]
        + (write_first_q ? {AccBits{1'b0}} : old[lane*AccBits +: AccBits]);

  genvar bank;
  generate
    for (bank = 0; bank < 4; bank = bank + 1) begin : g_bank
      localparam [1:0] BANK = bank;
      wire write = add_write_i && {write_set_q, write_index_q[0]} == BANK;
      wire read  = add_read_i && {add_set_i, add_index_i[0]} == BANK;
      wire drain = drain_read_i && {drain_set_i, drain_index_i[0]} == BANK;
      wire [11:0] index   = write ? write_index_q : read ? add_index_i : drain_index_i;
      wire [11:0] address = index >> 1;
      sram_1rw #(
        .Width    (Width),
        .Depth    (Depth),
        .MaskBits (Width)
      ) sram_i (
        .clk_i     (clk_i),
        .en_i      (write || read || drain),
        .we_i      (write),
        .address_i (address[Bits-1:0]),
        .wdata_i   (added),
        .wmask_i   (1'b1),
        .rdata_o   (words[bank*Width +: Width])
      );
    end
  endgenerate

  assign drain_o = words[{drain_set_q, drain_odd_q}*Width +: Width];
endmodule
`default_nettype wire
