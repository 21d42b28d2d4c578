// AXI4-Stream on the output: a beat stays, with its data and TLAST, until it is taken, whatever the
// host does (abort, start) and however the program ends. Proved by induction, without a bound on time.
`default_nettype none
`include "codesign.vh"
module stream_out_formal (
  input wire                        clk_i,
  input wire                        rst_ni,
  input wire                        start, resume, abort, discard, step, discarded, fail, finish_other,
  input wire [15:0]                 first,
  input wire [3:0]                  check, fail_code,
  input wire [`DESCRIPTOR_BITS-1:0] next_descriptor,
  input wire [7:0]                  next_word,
  input wire [23:0]                 words_in,
  input wire                        beyond,
  input wire                        tready
);
  wire fetch, read_state, decode_state, start_state, run, running, paused, finish, held, read;
  wire tvalid, tlast;
  wire [7:0] tdata;

  // the program memory and the bank hold their word until the next read
  reg [`DESCRIPTOR_BITS-1:0] descriptor;
  reg [7:0] word;
  always @(posedge clk_i) begin
    if (fetch) descriptor <= next_descriptor;
    if (read && !beyond) word <= next_word;
  end
  wire store = descriptor[`D_OPERATION] == `OP_STORE;

  sequencer #(.ProgramDepth(16)) sequencer_i (
    .clk_i (clk_i), .rst_ni (rst_ni),
    .start_i (start), .continue_i (resume), .abort_i (abort), .discard_i (discard),
    .step_i (step), .program_i (first),
    .running_o (running), .paused_o (paused), .discarding_o (), .done_o (), .error_o (),
    .error_code_o (), .layer_o (), .layer_start_o (), .cause_o (),
    .fetch_o (fetch), .fetch_address_o (), .last_i (descriptor[`D_LAST]), .check_i (check),
    .read_o (read_state), .decode_o (decode_state), .start_o (start_state), .run_o (run),
    .finish_i (run && (store ? finish : finish_other)), .fail_i (fail), .fail_code_i (fail_code),
    .cause_i (4'd0), .beat_held_i (held), .discarded_i (discarded)
  );

  stream_out #(.InputLanes(4)) dut (
    .clk_i (clk_i), .rst_ni (rst_ni), .start_i (start_state), .run_i (run && store),
    .descriptor_i (descriptor), .words_in_i (words_in),
    .read_o (read), .address_o (), .beyond_i (beyond), .word_i (word),
    .tdata_o (tdata), .tvalid_o (tvalid), .tlast_o (tlast), .tready_i (tready),
    .held_o (held), .finish_o (finish), .wait_o ()
  );

  reg started = 1'b0;
  always @(posedge clk_i) started <= 1'b1;
  always @* if (!started) assume (!rst_ni);

  // a read that fails ends the layer in the same cycle, as the top wires it
  always @* if (read && beyond) assume (fail);

  // nothing but a store has a beat on its way: what makes the induction close
  always @*
    if (started && rst_ni && tvalid)
      assert (store && (run || (running && !fetch && !read_state && !decode_state && !start_state)));

  always @(posedge clk_i)
    if (started && rst_ni && $past(rst_ni)) begin
      if ($past(tvalid && !tready)) begin
        assert (tvalid);
        assert ($stable(tdata));
        assert ($stable(tlast));
      end
      if (!tvalid) assert (tdata == 8'd0 && !tlast);
    end
endmodule
