// stream_in takes a beat only while a load runs (or to discard it), writes each beat of a map in the
// cycle after, at the next address, and tells of a TLAST that is early or missing in that cycle. Proved
// by induction for any map.
`default_nettype none
`include "codesign.vh"
module stream_in_formal (
  input wire        clk_i,
  input wire        rst_ni,
  input wire        start, run, discard,
  input wire        tvalid, tlast,
  input wire [7:0]  tdata
);
  (* anyconst *) reg [`DESCRIPTOR_BITS-1:0] descriptor;
  (* anyconst *) reg [23:0] row;
  wire        tready, write, finish, fail, discarded;
  wire [23:0] address;
  wire [7:0]  data;
  wire [3:0]  code;

  stream_in #(.InputLanes(4)) dut (
    .clk_i (clk_i), .rst_ni (rst_ni), .start_i (start), .run_i (run), .descriptor_i (descriptor),
    .row_i (row), .discard_i (discard), .discarded_o (discarded), .tdata_i (tdata),
    .tvalid_i (tvalid), .tlast_i (tlast), .tready_o (tready), .write_o (write),
    .address_o (address), .data_o (data), .finish_o (finish), .fail_o (fail),
    .fail_code_o (code), .wait_o ()
  );

  reg started = 1'b0;
  always @(posedge clk_i) started <= 1'b1;
  always @* begin
    if (!started) assume (!rst_ni);
    // the sequencer: a layer starts, then runs; nothing is discarded meanwhile
    assume (!(start && run));
    assume (!(discard && (start || run)));
    assert (!tready || run || discard);
    assert (!(write && fail));
    assert (!finish || write);
    assert (!write || run);
  end

  always @(posedge clk_i)
    if (started && rst_ni && $past(rst_ni)) begin
      // a beat of a layer that still runs is written, or is an error
      if (run && $past(run && tvalid && tready)) begin
        assert (write || fail);
        assert (data == $past(tdata));
        if (fail) assert (code == ($past(tlast) ? `E_STREAM_SHORT : `E_STREAM_LONG));
      end else assert (!write && !fail);
      // what ends well has TLAST where it is due, and only there
      if (write) assert ($past(tlast) == (finish && descriptor[`D_FRAME_END]));
      if (write && $past(write)) assert (address == $past(address) + 24'd1);
      if ($past(fail || finish) && run && $past(run)) assert (!tready);
    end
endmodule
