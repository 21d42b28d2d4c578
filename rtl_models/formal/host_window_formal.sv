// host_interface for every host, and in every state of the machine: the window reaches no memory while a
// layer runs, none that is not built, no word or chunk beyond one (what memory_bounds takes for granted);
// a command is one at a time, and only where it is allowed. Proved by induction. Five memories of
// different depths and widths.
`default_nettype none
`include "codesign.vh"
module host_window_formal (
  input wire        clk_i,
  input wire        rst_ni,
  input wire [7:0]  awaddr, araddr,
  input wire        awvalid, wvalid, bready, arvalid, rready,
  input wire [31:0] wdata,
  input wire [3:0]  wstrb,
  input wire        running, paused, discarding, done, error,
  input wire [3:0]  code, cause,
  input wire [15:0] layer,
  input wire        layer_start,
  input wire [31:0] rdata
);
  wire        start, resume, abort, discard, en, we;
  wire [3:0]  memory;
  wire [23:0] address;
  wire [7:0]  chunk;

  host_interface #(
    .InputLanes (20), .OutputLanes (5), .WeightWord (72), .BiasBits (16), .WeightDepth (13),
    .ParameterDepth (7), .ProgramDepth (3), .BankDepth (11), .Banks (3), .SkipDepth (5)
  ) dut (
    .clk_i (clk_i), .rst_ni (rst_ni), .irq_o (),
    .s_axil_awaddr (awaddr), .s_axil_awprot (3'd0), .s_axil_awvalid (awvalid), .s_axil_awready (),
    .s_axil_wdata (wdata), .s_axil_wstrb (wstrb), .s_axil_wvalid (wvalid), .s_axil_wready (),
    .s_axil_bresp (), .s_axil_bvalid (), .s_axil_bready (bready),
    .s_axil_araddr (araddr), .s_axil_arprot (3'd0), .s_axil_arvalid (arvalid), .s_axil_arready (),
    .s_axil_rdata (), .s_axil_rresp (), .s_axil_rvalid (), .s_axil_rready (rready),
    .start_o (start), .continue_o (resume), .abort_o (abort), .discard_o (discard), .step_o (),
    .program_o (), .running_i (running), .paused_i (paused), .discarding_i (discarding),
    .done_i (done), .error_i (error), .error_code_i (code), .layer_i (layer),
    .layer_start_i (layer_start), .cause_i (cause), .window_en_o (en), .window_we_o (we),
    .window_memory_o (memory), .window_address_o (address), .window_chunk_o (chunk),
    .window_wdata_o (), .window_rdata_i (rdata)
  );

  reg [23:0] depth;
  reg [7:0]  last;
  always @*
    case (memory)
      `MEMORY_PROGRAM:    {depth, last} = {24'd3, 8'd13};
      `MEMORY_WEIGHTS:    {depth, last} = {24'd13, 8'd2};
      `MEMORY_PARAMETERS: {depth, last} = {24'd7, 8'd2};
      4'd8, 4'd9, 4'd10:  {depth, last} = {24'd11, 8'd1};
      4'd11:              {depth, last} = {24'd5, 8'd1};
      default:            {depth, last} = {24'd0, 8'd1};  // not built
    endcase

  reg started = 1'b0;
  always @(posedge clk_i) started <= 1'b1;
  always @* begin
    if (!started) assume (!rst_ni);
    if (started && rst_ni) begin
      assert (chunk <= last);
      if (en) assert (!running && address < depth);
      if (en) assert (!(start || resume || abort || discard));
      assert (!start || !(running || paused || discarding || resume || abort || discard));
      assert (!resume || (paused && !abort && !discard));
      assert (!discard || !(running || paused || discarding || abort));
    end
  end
endmodule
