// axi_lite_slave: the handshakes of AXI4-Lite, turned into one simple request bus.
//
// AW, W and AR are taken in any order and at any distance, one transfer each; the next is taken
// when the answer to the last has been. Where a write and a read wait, the write goes first: the
// next one cannot be there before the read has gone. A request lasts one cycle, its answer is read
// in the cycle after, and no other request falls into that cycle:
//
//   cycle                1      2      3      4      5
//   s_axil_awvalid     /~~~~~~\____________________
//   s_axil_wvalid      /~~~~~~\____________________
//   s_axil_awready     ~~~~~~~\____________________/~   (and wready)
//   request_o          _______/~~~~~~\_____________
//   response_*_i              |      | read |
//   s_axil_bvalid      _____________________/~~~~~~\     bready high
//
// Latency from the last of AW and W (or from AR) to the answer: 3 cycles, and up to 1 more for a
// write, 2 more for a read, where the other way's request is ahead. Throughput: a write and a read
// each 4 cycles. Every output towards the bus is a register: no ready depends on a valid, no valid
// on a ready.
`default_nettype none
module axi_lite_slave #(
  parameter AddressBits = 8
) (
  input  wire                   clk_i,
  input  wire                   rst_ni,
  // AXI4-Lite; prot is ignored
  input  wire [AddressBits-1:0] s_axil_awaddr,
  input  wire [2:0]             s_axil_awprot,
  input  wire                   s_axil_awvalid,
  output wire                   s_axil_awready,
  input  wire [31:0]            s_axil_wdata,
  input  wire [3:0]             s_axil_wstrb,
  input  wire                   s_axil_wvalid,
  output wire                   s_axil_wready,
  output wire [1:0]             s_axil_bresp,
  output wire                   s_axil_bvalid,
  input  wire                   s_axil_bready,
  input  wire [AddressBits-1:0] s_axil_araddr,
  input  wire [2:0]             s_axil_arprot,
  input  wire                   s_axil_arvalid,
  output wire                   s_axil_arready,
  output wire [31:0]            s_axil_rdata,
  output wire [1:0]             s_axil_rresp,
  output wire                   s_axil_rvalid,
  input  wire                   s_axil_rready,
  // request, one cycle
  output wire                   request_o,
  output wire                   request_write_o,
  output wire [AddressBits-1:0] request_address_o,
  output wire [31:0]            request_data_o,
  output wire [3:0]             request_strobe_o,
  // its answer, in the cycle after
  input  wire                   response_error_i,
  input  wire [31:0]            response_data_i
);
  localparam [1:0] OKAY = 2'b00, SLVERR = 2'b10;

  // Each way: taken, then asked (an answer is due in this cycle or was taken), then valid.
  reg aw_taken_q, w_taken_q, write_asked_q, b_valid_q, b_error_q;
  reg ar_taken_q, read_asked_q, r_valid_q, r_error_q;

  reg [AddressBits-1:0] aw_address_q, ar_address_q;
  reg [31:0]            w_data_q, r_data_q;
  reg [3:0]             w_strobe_q;

  wire answer_due  = (write_asked_q && !b_valid_q) || (read_asked_q && !r_valid_q);
  wire write_waits = aw_taken_q && w_taken_q && !write_asked_q;
  wire read_waits  = ar_taken_q && !read_asked_q;
  wire write       = write_waits && !answer_due;
  wire read        = read_waits && !answer_due && !write;

  wire aw_take = s_axil_awvalid && s_axil_awready;
  wire w_take  = s_axil_wvalid && s_axil_wready;
  wire ar_take = s_axil_arvalid && s_axil_arready;
  wire b_end   = s_axil_bvalid && s_axil_bready;
  wire r_end   = s_axil_rvalid && s_axil_rready;

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      aw_taken_q    <= 1'b0;
      w_taken_q     <= 1'b0;
      write_asked_q <= 1'b0;
      b_valid_q     <= 1'b0;
      b_error_q     <= 1'b0;
      ar_taken_q    <= 1'b0;
      read_asked_q  <= 1'b0;
      r_valid_q     <= 1'b0;
      r_error_q     <= 1'b0;
      r_data_q      <= 32'd0;
      aw_address_q  <= {AddressBits{1'b0}};
      ar_address_q  <= {AddressBits{1'b0}};
      w_data_q      <= 32'd0;
      w_strobe_q    <= 4'd0;
    end else begin
      if (aw_take) begin
        aw_taken_q   <= 1'b1;
        aw_address_q <= s_axil_awaddr;
      end
      if (w_take) begin
        w_taken_q  <= 1'b1;
        w_data_q   <= s_axil_wdata;
        w_strobe_q <= s_axil_wstrb;
      end
      if (ar_take) begin
        ar_taken_q   <= 1'b1;
        ar_address_q <= s_axil_araddr;
      end
      if (write) write_asked_q <= 1'b1;
      if (read) read_asked_q <= 1'b1;
      if (write_asked_q && !b_valid_q) begin
        b_valid_q <= 1'b1;
        b_error_q <= response_error_i;
      end
      if (read_asked_q && !r_valid_q) begin
        r_valid_q <= 1'b1;
        r_error_q <= response_error_i;
        r_data_q  <= response_data_i;
      end
      if (b_end) begin
        aw_taken_q    <= 1'b0;
        w_taken_q     <= 1'b0;
        write_asked_q <= 1'b0;
        b_valid_q     <= 1'b0;
      end
      if (r_end) begin
        ar_taken_q   <= 1'b0;
        read_asked_q <= 1'b0;
        r_valid_q    <= 1'b0;
      end
    end

  assign s_axil_awready = !aw_taken_q;
  assign s_axil_wready  = !w_taken_q;
  assign s_axil_arready = !ar_taken_q;
  assign s_axil_bvalid  = b_valid_q;
  assign s_axil_bresp   = b_error_q ? SLVERR : OKAY;
  assign s_axil_rvalid  = r_valid_q;
  assign s_axil_rresp   = r_error_q ? SLVERR : OKAY;
  assign s_axil_rdata   = r_data_q;

  assign request_o         = write || read;
  assign request_write_o   = write;
  assign request_address_o = write ? aw_address_q : ar_address_q;
  assign request_data_o    = w_data_q;
  assign request_strobe_o  = w_strobe_q;

  // Protection bits have no meaning here.
  wire unused = &{1'b0, s_axil_awprot, s_axil_arprot};
endmodule
`default_nettype wire
