// bank_switch and word_memory with a memory in place of sram_1rw that demands what a macro needs: an
// address inside, one access a cycle. Proved for every address, bank and mix of accesses; the window's
// address is inside, as host_window proves. beyond_o tells of every access that was kept away.
`default_nettype none
module sram_1rw #(
  parameter Width    = 8,
  parameter Depth    = 16,
  parameter MaskBits = 8
) (
  input  wire                                         clk_i,
  input  wire                                         en_i,
  input  wire                                         we_i,
  input  wire [(Depth > 1 ? $clog2(Depth) : 1)-1:0]   address_i,
  input  wire [Width-1:0]                             wdata_i,
  input  wire [(Width + MaskBits - 1) / MaskBits-1:0] wmask_i,
  output wire [Width-1:0]                             rdata_o
);
  (* anyseq *) reg [Width-1:0] anything;
  assign rdata_o = anything;
  always @* if (en_i) assert ({1'b0, address_i} < Depth);
endmodule

module memory_bounds_formal (
  input wire        clk_i,
  input wire        read, write, fetch, window_en, word_window_en, window_we,
  input wire [3:0]  read_bank, write_bank, window_bank,
  input wire [23:0] read_address, write_address, fetch_address, window_address,
  input wire [7:0]  window_chunk
);
  wire bank_beyond, word_beyond;

  bank_switch #(.InputLanes(4), .Banks(3), .BankDepth(11), .SkipDepth(5)) banks (
    .clk_i (clk_i),
    .read_i (read), .read_bank_i (read_bank), .read_address_i (read_address), .word_o (),
    .write_i (write), .write_bank_i (write_bank), .write_address_i (write_address),
    .data_i (8'd0), .mask_i (4'd15), .beyond_o (bank_beyond),
    .window_en_i (window_en), .window_we_i (window_we), .window_bank_i (window_bank),
    .window_address_i (window_address), .window_chunk_i (window_chunk), .window_wdata_i (32'd0),
    .window_rdata_o ()
  );
  word_memory #(.Width(40), .Depth(13)) words (
    .clk_i (clk_i), .read_i (fetch), .address_i (fetch_address), .word_o (),
    .beyond_o (word_beyond), .window_en_i (word_window_en), .window_we_i (window_we),
    .window_address_i (window_address), .window_chunk_i (window_chunk), .window_wdata_i (32'd0),
    .window_rdata_o ()
  );

  // the host's window opens only while no layer runs, and only inside (host_window)
  always @* begin
    if (window_en || word_window_en) assume (!read && !write && !fetch);
    if (window_en) assume (window_bank < 4'd4 && window_address < (window_bank == 4'd3 ? 24'd5 : 24'd11));
    if (word_window_en) assume (window_address < 24'd13);
    // descriptor_check: another bank is written than is read
    if (read && write) assume (read_bank != write_bank);
    assert (word_beyond == (fetch && fetch_address >= 24'd13));
    assert (bank_beyond == ((read && (read_bank > 4'd3 || read_address >= (read_bank == 4'd3 ? 24'd5 : 24'd11)))
      || (write && (write_bank > 4'd3 || write_address >= (write_bank == 4'd3 ? 24'd5 : 24'd11)))));
  end
endmodule
