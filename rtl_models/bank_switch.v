// bank_switch: the activation banks and the skip memory, and who reads and writes which.
//
// A layer reads one bank and writes another, each a word a cycle; word_o follows a cycle after its
// read and stays until the next. The host's window has the banks while no layer runs. beyond_o: the
// access of this cycle lies behind the bank's last word, or the bank is not built; nothing is
// written then.
`default_nettype none
module bank_switch #(
  parameter InputLanes = 4,
  parameter Banks      = 2,
  parameter BankDepth  = 1024,
  parameter SkipDepth  = 0
) (
  input  wire                    clk_i,
  input  wire                    read_i,
  input  wire [3:0]              read_bank_i,
  input  wire [23:0]             read_address_i,
  output wire [2*InputLanes-1:0] word_o,
  input  wire                    write_i,
  input  wire [3:0]              write_bank_i,
  input  wire [23:0]             write_address_i,
  input  wire [2*InputLanes-1:0] data_i,
  input  wire [InputLanes-1:0]   mask_i,
  output wire                    beyond_o,
  input  wire                    window_en_i,
  input  wire                    window_we_i,
  input  wire [3:0]              window_bank_i,
  input  wire [23:0]             window_address_i,
  input  wire [7:0]              window_chunk_i,
  input  wire [31:0]             window_wdata_i,
  output wire [31:0]             window_rdata_o
);
  localparam All      = Banks + (SkipDepth > 0 ? 1 : 0);
  localparam WordBits = 2 * InputLanes;
  localparam Chunks   = (WordBits + 31) / 32;

  wire [All*WordBits-1:0] words;
  wire [All-1:0] read_good, write_good;
  wire [32*Chunks-1:0] window_data = {Chunks{window_wdata_i}};

  genvar bank, lane;
  generate
    for (bank = 0; bank < All; bank = bank + 1) begin : g_bank
      localparam [3:0]  Number = bank;
      localparam [31:0] Depth  = bank < Banks ? BankDepth : SkipDepth;
      localparam [24:0] DEPTH  = Depth[24:0];
      localparam        Bits   = Depth > 1 ? $clog2(Depth) : 1;
      wire window = window_en_i && window_bank_i == Number;
      wire read   = read_i && read_bank_i == Number;
      wire write  = write_i && write_bank_i == Number;
      assign read_good[bank]  = read && {1'b0, read_address_i} < DEPTH;
      assign write_good[bank] = write && {1'b0, write_address_i} < DEPTH;
      wire [23:0] address = window ? window_address_i : write ? write_address_i : read_address_i;
      wire [InputLanes-1:0] window_mask;
      for (lane = 0; lane < InputLanes; lane = lane + 1) begin : g_lane
        localparam [7:0] Chunk = lane / 16;
        assign window_mask[lane] = window_chunk_i == Chunk;
      end
      sram_1rw #(
        .Width    (WordBits),
        .Depth    (Depth),
        .MaskBits (2)
      ) sram_i (
        .clk_i     (clk_i),
        .en_i      (window || read_good[bank] || write_good[bank]),
        .we_i      (window ? window_we_i : write),
        .address_i (address[Bits-1:0]),
        .wdata_i   (window ? window_data[WordBits-1:0] : data_i),
        .wmask_i   (window ? window_mask : mask_i),
        .rdata_o   (words[bank*WordBits +: WordBits])
      );
    end
  endgenerate

  assign beyond_o = (read_i && read_good == {All{1'b0}}) || (write_i && write_good == {All{1'b0}});

  // the banks' outputs
  integer number;
  reg [WordBits-1:0]  word;
  reg [32*Chunks-1:0] window_word;
  always @* begin
    word        = {WordBits{1'b0}};
    window_word = {32*Chunks{1'b0}};
    for (number = 0; number < All; number = number + 1) begin
      if (read_bank_i == number[3:0]) word = words[number*WordBits +: WordBits];
      if (window_bank_i == number[3:0])
        window_word[WordBits-1:0] = words[number*WordBits +: WordBits];
    end
  end
  assign word_o         = word;
  assign window_rdata_o = window_word[window_chunk_i*32 +: 32];
endmodule
`default_nettype wire
