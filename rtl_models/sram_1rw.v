// sram_1rw: single-port synchronous memory, one read or one write a cycle. The one module to
// exchange for a foundry's macro.
//
//   cycle        1      2      3      4      5
//   en_i       /~~~~~~~~~~~~~\______/~~~~~~\_
//   we_i       _______/~~~~~~\_______________
//   address_i   A      B             C
//   rdata_o           | old word A          | word C
//
// Latency one cycle, throughput one access a cycle. rdata_o is registered and holds the word of the
// last read: a write and an idle cycle leave it. A write takes the parts of MaskBits bits whose bit
// of wmask_i is set (the last part is narrower where MaskBits does not divide Width). No reset:
// contents and output are unknown until they are written and read. InitFile ($readmemh), if given,
// is loaded when the simulation starts. An address from Depth on does not exist: it is not to be
// used.
`default_nettype none
module sram_1rw #(
  parameter Width    = 8,
  parameter Depth    = 16,
  parameter MaskBits = 8,
  parameter InitFile = ""
) (
  input  wire                                         clk_i,
  input  wire                                         en_i,
  input  wire                                         we_i,
  input  wire [(Depth > 1 ? $clog2(Depth) : 1)-1:0]   address_i,
  input  wire [Width-1:0]                             wdata_i,
  input  wire [(Width + MaskBits - 1) / MaskBits-1:0] wmask_i,
  output wire [Width-1:0]                             rdata_o
);
  localparam WholeParts = Width / MaskBits;
  localparam PartBits   = MaskBits < Width ? MaskBits : Width;
  localparam LastBits   = Width % MaskBits;

  reg [Width-1:0] memory [0:Depth-1];
  reg [Width-1:0] rdata_q;

  integer part;
  always @(posedge clk_i)
    if (en_i && we_i) begin
      for (part = 0; part < WholeParts; part = part + 1)
        if (wmask_i[part])
          memory[address_i][part*PartBits +: PartBits] <= wdata_i[part*PartBits +: PartBits];
      if (LastBits != 0 && wmask_i[(Width-1) / MaskBits])
        memory[address_i][Width-1 -: (LastBits != 0 ? LastBits : 1)]
          <= wdata_i[Width-1 -: (LastBits != 0 ? LastBits : 1)];
    end

  always @(posedge clk_i)
    if (en_i && !we_i) rdata_q <= memory[address_i];

  assign rdata_o = rdata_q;

  generate
    if (InitFile != "") begin : g_init
      initial $readmemh(InitFile, memory);
    end
  endgenerate
endmodule
`default_nettype wire
