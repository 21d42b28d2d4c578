// host_interface: registers, counters, interrupt and memory window behind AXI4-Lite.
//
// Registers and what is refused with SLVERR: docs/hardware/registers.md. A command is one cycle of
// start_o, continue_o, abort_o or discard_o, in the cycle in which the request is; latency and
// throughput of an access are those of axi_lite_slave. irq_o is a register, one cycle behind its
// cause.
//
// The window moves 32 b of a memory word in one cycle, only while the machine does not run:
//
//   cycle            1      2      3      4
//   window_en_o    /~~~~~~\_____________/~~~~    MEMORY_DATA is read, then written
//   window_we_o    _____________________/~~~~
//   window_chunk_o  0             1               steps in the cycle after an access:
//   window_rdata_i        | chunk 0               here it still names the chunk that is read
//
// At most 256 chunks, 8,192 b a word.
`default_nettype none
`include "codesign.vh"
module host_interface #(
  parameter InputLanes     = 4,
  parameter OutputLanes    = 4,
  parameter WeightWord     = 12,
  parameter BiasBits       = 16,
  parameter WeightDepth    = 4000,
  parameter ParameterDepth = 62,
  parameter ProgramDepth   = 17,
  parameter BankDepth      = 1024,
  parameter Banks          = 2,
  parameter SkipDepth      = 0
) (
  input  wire        clk_i,
  input  wire        rst_ni,
  output wire        irq_o,
  // AXI4-Lite
  input  wire [7:0]  s_axil_awaddr,
  input  wire [2:0]  s_axil_awprot,
  input  wire        s_axil_awvalid,
  output wire        s_axil_awready,
  input  wire [31:0] s_axil_wdata,
  input  wire [3:0]  s_axil_wstrb,
  input  wire        s_axil_wvalid,
  output wire        s_axil_wready,
  output wire [1:0]  s_axil_bresp,
  output wire        s_axil_bvalid,
  input  wire        s_axil_bready,
  input  wire [7:0]  s_axil_araddr,
  input  wire [2:0]  s_axil_arprot,
  input  wire        s_axil_arvalid,
  output wire        s_axil_arready,
  output wire [31:0] s_axil_rdata,
  output wire [1:0]  s_axil_rresp,
  output wire        s_axil_rvalid,
  input  wire        s_axil_rready,
  // sequencer
  output wire        start_o,
  output wire        continue_o,
  output wire        abort_o,
  output wire        discard_o,
  output wire        step_o,
  output wire [15:0] program_o,
  input  wire        running_i,        // busy and not paused
  input  wire        paused_i,
  input  wire        discarding_i,
  input  wire        done_i,           // one cycle
  input  wire        error_i,          // one cycle
  input  wire [3:0]  error_code_i,
  input  wire [15:0] layer_i,
  input  wire        layer_start_i,    // the cycle before a layer's first
  input  wire [3:0]  cause_i,
  // memory window
  output wire        window_en_o,
  output wire        window_we_o,
  output wire [3:0]  window_memory_o,
  output wire [23:0] window_address_o,
  output wire [7:0]  window_chunk_o,
  output wire [31:0] window_wdata_o,
  input  wire [31:0] window_rdata_i
);
  localparam [31:0] LANES = (OutputLanes << 16) | InputLanes;
  // Number of the bank behind the activation banks: skip.
  localparam Skip = {28'd0, `MEMORY_BANK} + Banks;
  // The last chunk of a word of each memory.
  localparam ProgramLast   = (`DESCRIPTOR_BITS - 1) / 32;
  localparam WeightLast    = (WeightWord - 1) / 32;
  localparam ParameterLast = (OutputLanes * BiasBits - 1) / 32;
  localparam BankLast      = (2 * InputLanes - 1) / 32;

  wire        request, request_write, error;
  wire [7:0]  address;
  wire [31:0] data;
  wire [3:0]  strobe;
  reg         error_q, window_read_q;
  reg  [31:0] rdata_q;

  axi_lite_slave #(
    .AddressBits (8)
  ) slave_i (
    .clk_i             (clk_i),
    .rst_ni            (rst_ni),
    .s_axil_awaddr     (s_axil_awaddr),
    .s_axil_awprot     (s_axil_awprot),
    .s_axil_awvalid    (s_axil_awvalid),
    .s_axil_awready    (s_axil_awready),
    .s_axil_wdata      (s_axil_wdata),
    .s_axil_wstrb      (s_axil_wstrb),
    .s_axil_wvalid     (s_axil_wvalid),
    .s_axil_wready     (s_axil_wready),
    .s_axil_bresp      (s_axil_bresp),
    .s_axil_bvalid     (s_axil_bvalid),
    .s_axil_bready     (s_axil_bready),
    .s_axil_araddr     (s_axil_araddr),
    .s_axil_arprot     (s_axil_arprot),
    .s_axil_arvalid    (s_axil_arvalid),
    .s_axil_arready    (s_axil_arready),
    .s_axil_rdata      (s_axil_rdata),
    .s_axil_rresp      (s_axil_rresp),
    .s_axil_rvalid     (s_axil_rvalid),
    .s_axil_rready     (s_axil_rready),
    .request_o         (request),
    .request_write_o   (request_write),
    .request_address_o (address),
    .request_data_o    (data),
    .request_strobe_o  (strobe),
    .response_error_i  (error_q),
    .response_data_i   (window_read_q ? window_rdata_i : rdata_q)
  );

  generate
    if (WeightLast > 255 || ParameterLast > 255 || BankLast > 255) begin : g_wide
      a_memory_word_is_wider_than_the_8192_bits_of_the_window stop_i ();
    end
    if (Banks > 8 || (Banks == 8 && SkipDepth != 0)) begin : g_many
      more_than_8_banks_and_skip_together stop_i ();
    end
  endgenerate

  // ---- the memory window: which memory, which word, which chunk --------------------------------

  reg [7:0]  memory_q;
  reg [23:0] word_q;
  reg [7:0]  chunk_q;
  reg        step_q;                    // the last cycle's access goes on to the next chunk

  reg        built;
  reg [24:0] depth;
  reg [7:0]  last_chunk;
  always @* begin
    built      = 1'b1;
    depth      = BankDepth[24:0];
    last_chunk = BankLast[7:0];
    case (memory_q)
      {4'd0, `MEMORY_PROGRAM}: begin
        depth      = ProgramDepth[24:0];
        last_chunk = ProgramLast[7:0];
      end
      {4'd0, `MEMORY_WEIGHTS}: begin
        depth      = WeightDepth[24:0];
        last_chunk = WeightLast[7:0];
      end
      {4'd0, `MEMORY_PARAMETERS}: begin
        depth      = ParameterDepth[24:0];
        last_chunk = ParameterLast[7:0];
      end
      default:
        if (memory_q == Skip[7:0]) begin
          built = SkipDepth != 0;
          depth = SkipDepth[24:0];
        end else built = memory_q >= {4'd0, `MEMORY_BANK} && memory_q < Skip[7:0];
    endcase
  end
  wire window_open = built && !running_i && {1'b0, word_q} < depth;

  // ---- what a request is, and whether it is refused --------------------------------------------

  reg  known, readable, writable;
  always @* begin
    known    = 1'b1;
    readable = 1'b1;
    writable = 1'b0;
    case (address)
      `R_ID, `R_STATUS, `R_LAYER, `R_FRAMES, `R_LANES, `R_CYCLES_COMPUTE, `R_CYCLES_WEIGHT_LOAD,
      `R_CYCLES_STALL, `R_CYCLES_DRAIN, `R_CYCLES_VECTOR, `R_CYCLES_INPUT, `R_CYCLES_OUTPUT,
      `R_CYCLES_CONTROL, `R_CYCLES_WAIT, `R_FRAME_CYCLES_LOW, `R_FRAME_CYCLES_HIGH: ;
      `R_CONTROL, `R_MODE, `R_PROGRAM, `R_MEMORY_SELECT, `R_MEMORY_ADDRESS: writable = 1'b1;
      `R_MEMORY_DATA: begin
        readable = window_open;
        writable = window_open;
      end
      default: known = 1'b0;
    endcase
  end

  // One command a write; clear may go with any.
  wire [3:0] commands = {data[`F_CONTROL_DISCARD], data[`F_CONTROL_ABORT],
                         data[`F_CONTROL_CONTINUE], data[`F_CONTROL_START]};
  wire       several  = (commands & (commands - 4'd1)) != 4'd0;
  wire       busy     = running_i || paused_i;
  wire       denied   = several
                        || (data[`F_CONTROL_START] && (busy || discarding_i))
                        || (data[`F_CONTROL_CONTINUE] && !paused_i)
                        || (data[`F_CONTROL_DISCARD] && (busy || discarding_i));

  assign error = !known
                 || (request_write ? !writable || strobe != 4'b1111
                                     || (address == `R_CONTROL && denied)
                                   : !readable);

  wire write   = request && request_write && !error;
  wire control = write && address == `R_CONTROL;

  assign start_o    = control && data[`F_CONTROL_START];
  assign continue_o = control && data[`F_CONTROL_CONTINUE];
  assign abort_o    = control && data[`F_CONTROL_ABORT];
  assign discard_o  = control && data[`F_CONTROL_DISCARD];

  assign window_en_o      = request && !error && address == `R_MEMORY_DATA;
  assign window_we_o      = request_write;
  assign window_memory_o  = memory_q[3:0];
  assign window_address_o = word_q;
  assign window_chunk_o   = chunk_q;
  assign window_wdata_o   = data;

  // ---- registers -------------------------------------------------------------------------------

  reg        done_q, failed_q, irq_q;
  reg [3:0]  code_q, mode_q;
  reg [15:0] program_q;
  reg [31:0] frames_q;

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      done_q        <= 1'b0;
      failed_q      <= 1'b0;
      code_q        <= `E_NONE;
      irq_q         <= 1'b0;
      mode_q        <= 4'd0;
      program_q     <= 16'd0;
      frames_q      <= 32'd0;
      memory_q      <= 8'd0;
      word_q        <= 24'd0;
      chunk_q       <= 8'd0;
      step_q        <= 1'b0;
      error_q       <= 1'b0;
      window_read_q <= 1'b0;
    end else begin
      if (control && (data[`F_CONTROL_START] || data[`F_CONTROL_CLEAR])) begin
        done_q   <= 1'b0;
        failed_q <= 1'b0;
        code_q   <= `E_NONE;
      end
      // An end in the cycle of a clear is kept: the host has not seen it.
      if (done_i) begin
        done_q   <= 1'b1;
        frames_q <= frames_q + 32'd1;
      end
      if (error_i) begin
        failed_q <= 1'b1;
        code_q   <= error_code_i;
      end
      irq_q <= (done_q && mode_q[`F_MODE_IRQ_DONE]) || (failed_q && mode_q[`F_MODE_IRQ_ERROR])
               || (paused_i && mode_q[`F_MODE_IRQ_PAUSE]);

      if (write && address == `R_MODE) mode_q <= data[3:0];
      if (write && address == `R_PROGRAM) program_q <= data[`F_PROGRAM_ADDRESS];

      step_q <= window_en_o;
      if (step_q) begin
        chunk_q <= chunk_q == last_chunk ? 8'd0 : chunk_q + 8'd1;
        if (chunk_q == last_chunk) word_q <= word_q + 24'd1;
      end
      if (write && address == `R_MEMORY_SELECT) begin
        memory_q <= data[`F_MEMORY_SELECT_MEMORY];
        chunk_q  <= 8'd0;
      end
      if (write && address == `R_MEMORY_ADDRESS) begin
        word_q  <= data[`F_MEMORY_ADDRESS_ADDRESS];
        chunk_q <= 8'd0;
      end

      error_q       <= error;
      window_read_q <= window_en_o && !request_write;
    end

  assign irq_o     = irq_q;
  assign step_o    = mode_q[`F_MODE_STEP];
  assign program_o = program_q;

  // ---- counters --------------------------------------------------------------------------------

  wire [31:0] cycles;
  wire [63:0] frame_cycles;
  profile_counters counters_i (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .layer_start_i  (layer_start_i),
    .frame_start_i  (start_o),
    .count_i        (running_i),
    .cause_i        (cause_i),
    .select_i       (address[5:2]),     // the counters start at 0x40
    .cycles_o       (cycles),
    .frame_cycles_o (frame_cycles)
  );

  // ---- what a read returns ---------------------------------------------------------------------

  reg [31:0] rdata;
  always @* begin
    rdata = 32'd0;
    case (address)
      `R_ID: rdata = `IDENTITY;
      `R_STATUS: begin
        rdata[`F_STATUS_BUSY]       = busy;
        rdata[`F_STATUS_PAUSED]     = paused_i;
        rdata[`F_STATUS_DONE]       = done_q;
        rdata[`F_STATUS_ERROR]      = failed_q;
        rdata[`F_STATUS_DISCARDING] = discarding_i;
        rdata[`F_STATUS_ERROR_CODE] = {4'd0, code_q};
      end
      `R_MODE: rdata[3:0] = mode_q;
      `R_PROGRAM: rdata[`F_PROGRAM_ADDRESS] = program_q;
      `R_LAYER: rdata[`F_LAYER_ADDRESS] = layer_i;
      `R_FRAMES: rdata = frames_q;
      `R_LANES: rdata = LANES;
      `R_CYCLES_COMPUTE, `R_CYCLES_WEIGHT_LOAD, `R_CYCLES_STALL, `R_CYCLES_DRAIN, `R_CYCLES_VECTOR,
      `R_CYCLES_INPUT, `R_CYCLES_OUTPUT, `R_CYCLES_CONTROL, `R_CYCLES_WAIT: rdata = cycles;
      `R_FRAME_CYCLES_LOW: rdata = frame_cycles[31:0];
      `R_FRAME_CYCLES_HIGH: rdata = frame_cycles[63:32];
      `R_MEMORY_SELECT: rdata[`F_MEMORY_SELECT_MEMORY] = memory_q;
      `R_MEMORY_ADDRESS: rdata[`F_MEMORY_ADDRESS_ADDRESS] = word_q;
      default: ;
    endcase
  end
  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) rdata_q <= 32'd0;
    else rdata_q <= rdata;
endmodule
`default_nettype wire
