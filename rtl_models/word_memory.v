// word_memory: a memory that a layer reads and the host's window reads and writes, 32 b at a time.
//
// beyond_o: the layer's address of this cycle lies behind the last word; nothing is read then.
`default_nettype none
module word_memory #(
  parameter Width = 12,
  parameter Depth = 16
) (
  input  wire             clk_i,
  input  wire             read_i,
  input  wire [23:0]      address_i,
  output wire [Width-1:0] word_o,
  output wire             beyond_o,
  input  wire             window_en_i,
  input  wire             window_we_i,
  input  wire [23:0]      window_address_i,
  input  wire [7:0]       window_chunk_i,
  input  wire [31:0]      window_wdata_i,
  output wire [31:0]      window_rdata_o
);
  localparam Chunks = (Width + 31) / 32;
  localparam Bits   = Depth > 1 ? $clog2(Depth) : 1;
  localparam [24:0] DEPTH = Depth[24:0];
  localparam [Chunks-1:0] ONE = 1;

  assign beyond_o = read_i && {1'b0, address_i} >= DEPTH;
  wire [23:0] address = window_en_i ? window_address_i : address_i;
  wire [32*Chunks-1:0] data = {Chunks{window_wdata_i}};
  wire [Chunks-1:0] mask = ONE << window_chunk_i;

  sram_1rw #(
    .Width    (Width),
    .Depth    (Depth),
    .MaskBits (32)
  ) sram_i (
    .clk_i     (clk_i),
    .en_i      (window_en_i || (read_i && !beyond_o)),
    .we_i      (window_en_i && window_we_i),
    .address_i (address[Bits-1:0]),
    .wdata_i   (data[Width-1:0]),
    .wmask_i   (mask),
    .rdata_o   (word_o)
  );

  wire [32*Chunks-1:0] padded;
  generate
    if (Width % 32 != 0) begin : g_pad
      assign padded = {{(32*Chunks-Width){1'b0}}, word_o};
    end else begin : g_whole
      assign padded = word_o;
    end
  endgenerate
  assign window_rdata_o = padded[window_chunk_i*32 +: 32];
endmodule
`default_nettype wire
