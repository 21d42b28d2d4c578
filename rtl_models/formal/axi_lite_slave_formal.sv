// What axi_lite_slave promises to the bus and to its registers, for every master and every answer.
//
// Proved by induction, without a bound on time (axi_lite_slave.sby). The master is free in
// everything but AXI's own rule: a valid stays, with its payload, until it is ready.
`default_nettype none
module axi_lite_slave_formal (
  input wire        clk_i,
  input wire        rst_ni,
  input wire [7:0]  awaddr, araddr,
  input wire        awvalid, wvalid, bready, arvalid, rready,
  input wire [31:0] wdata,
  input wire [3:0]  wstrb,
  input wire        response_error,
  input wire [31:0] response_data
);
  wire        awready, wready, bvalid, arready, rvalid, request, request_write;
  wire [1:0]  bresp, rresp;
  wire [31:0] rdata, request_data;
  wire [7:0]  request_address;
  wire [3:0]  request_strobe;

  axi_lite_slave dut (
    .clk_i             (clk_i),
    .rst_ni            (rst_ni),
    .s_axil_awaddr     (awaddr),
    .s_axil_awprot     (3'd0),
    .s_axil_awvalid    (awvalid),
    .s_axil_awready    (awready),
    .s_axil_wdata      (wdata),
    .s_axil_wstrb      (wstrb),
    .s_axil_wvalid     (wvalid),
    .s_axil_wready     (wready),
    .s_axil_bresp      (bresp),
    .s_axil_bvalid     (bvalid),
    .s_axil_bready     (bready),
    .s_axil_araddr     (araddr),
    .s_axil_arprot     (3'd0),
    .s_axil_arvalid    (arvalid),
    .s_axil_arready    (arready),
    .s_axil_rdata      (rdata),
    .s_axil_rresp      (rresp),
    .s_axil_rvalid     (rvalid),
    .s_axil_rready     (rready),
    .request_o         (request),
    .request_write_o   (request_write),
    .request_address_o (request_address),
    .request_data_o    (request_data),
    .request_strobe_o  (request_strobe),
    .response_error_i  (response_error),
    .response_data_i   (response_data)
  );

  // ---- the rule that the master keeps ----------------------------------------------------------

  reg started = 1'b0;
  always @(posedge clk_i) started <= 1'b1;
  always @* if (!started) assume (!rst_ni);

  always @(posedge clk_i)
    if (started && rst_ni && $past(rst_ni)) begin
      if ($past(awvalid && !awready)) assume (awvalid && $stable(awaddr));
      if ($past(wvalid && !wready)) assume (wvalid && $stable(wdata) && $stable(wstrb));
      if ($past(arvalid && !arready)) assume (arvalid && $stable(araddr));
    end

  // ---- what is on its way, as the outside sees it ----------------------------------------------

  reg        aw_open, w_open, w_asked, w_answered, w_error;
  reg        ar_open, r_asked, r_answered, r_error;
  reg [7:0]  aw_sent, ar_sent;
  reg [31:0] w_sent, r_data;
  reg [3:0]  strobe_sent;
  reg [2:0]  w_waits, r_waits;         // cycles without an answer since all of it was there

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      {aw_open, w_open, w_asked, w_answered, ar_open, r_asked, r_answered} <= 7'd0;
      {w_waits, r_waits} <= 6'd0;
    end else begin
      if (awvalid && awready) {aw_open, aw_sent} <= {1'b1, awaddr};
      if (wvalid && wready) {w_open, w_sent, strobe_sent} <= {1'b1, wdata, wstrb};
      if (arvalid && arready) {ar_open, ar_sent} <= {1'b1, araddr};
      if (request && request_write) w_asked <= 1'b1;
      if (request && !request_write) r_asked <= 1'b1;
      // The answer is taken in the cycle behind the request, whatever the ports hold later.
      if (w_asked && !w_answered) {w_answered, w_error} <= {1'b1, response_error};
      if (r_asked && !r_answered) {r_answered, r_error, r_data} <= {1'b1, response_error, response_data};
      w_waits <= aw_open && w_open && !bvalid ? w_waits + 3'd1 : 3'd0;
      r_waits <= ar_open && !rvalid ? r_waits + 3'd1 : 3'd0;
      if (bvalid && bready) {aw_open, w_open, w_asked, w_answered} <= 4'd0;
      if (rvalid && rready) {ar_open, r_asked, r_answered} <= 3'd0;
    end

  // ---- the promises ----------------------------------------------------------------------------

  always @* begin
    if (!rst_ni) assert (!bvalid && !rvalid && !request);
    if (rst_ni) begin
      // One transfer each way: nothing is taken before the last one is answered.
      assert (awready == !aw_open);
      assert (wready == !w_open);
      assert (arready == !ar_open);
      // An answer only to what was asked, with what came back.
      assert (bvalid == w_answered);
      assert (rvalid == r_answered);
      if (bvalid) assert (aw_open && w_open && w_asked && bresp == {w_error, 1'b0});
      if (rvalid) assert (ar_open && r_asked && rresp == {r_error, 1'b0} && rdata == r_data);
      // One request for each transfer, when all of it is there, and with its payload.
      if (request && request_write) begin
        assert (aw_open && w_open && !w_asked);
        assert (request_address == aw_sent && request_data == w_sent && request_strobe == strobe_sent);
      end
      if (request && !request_write) assert (ar_open && !r_asked && request_address == ar_sent);
      // No request while another one's answer is read.
      if (request) assert (!(w_asked && !w_answered) && !(r_asked && !r_answered));
      // Nothing starves: at most the other way's request and answer come first.
      assert (w_waits <= 3'd3);
      assert (r_waits <= 3'd4);
    end
  end

  always @(posedge clk_i)
    if (started && rst_ni && $past(rst_ni)) begin
      if ($past(bvalid && !bready)) assert (bvalid && $stable(bresp));
      if ($past(rvalid && !rready)) assert (rvalid && $stable(rresp) && $stable(rdata));
    end

  // ---- what the induction needs to know of the inside ------------------------------------------

  (* hierconn *) wire [7:0]  \dut.aw_address_q , \dut.ar_address_q ;
  (* hierconn *) wire [31:0] \dut.w_data_q ;
  (* hierconn *) wire [3:0]  \dut.w_strobe_q ;
  (* hierconn *) wire        \dut.write_asked_q , \dut.read_asked_q ;
  always @*
    if (rst_ni) begin
      if (aw_open) assert (\dut.aw_address_q == aw_sent);
      if (w_open) assert (\dut.w_data_q == w_sent && \dut.w_strobe_q == strobe_sent);
      if (ar_open) assert (\dut.ar_address_q == ar_sent);
      assert (\dut.write_asked_q == w_asked && \dut.read_asked_q == r_asked);
      assert (!(w_asked && !w_answered && r_asked && !r_answered));
      if (w_asked) assert (aw_open && w_open);
      if (r_asked) assert (ar_open);
      if (w_answered) assert (w_asked);
      if (r_answered) assert (r_asked);
    end

  // ---- that the assumptions leave room ---------------------------------------------------------

  reg both;                            // a write and a read were answered, one with an error
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) both <= 1'b0;
    else if (bvalid && bready && rvalid && rready && w_error && !r_error) both <= 1'b1;
  always @* cover (rst_ni && both && aw_open && !w_open && ar_open);
endmodule
`default_nettype wire
