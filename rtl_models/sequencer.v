// sequencer: runs a program, one descriptor after the other.
//
// A layer takes four cycles of control and then as many as its unit needs:
//
//   cycle    1        2      3        4      5 ...
//   state    ADDRESS  READ   DECODE   START  RUN ... RUN | ADDRESS (next layer)
//                     ^ descriptor on the memory's output, which holds it until the next ADDRESS
//
// start_o is high in START, run_o in RUN; a unit ends a layer by finish_i in its last cycle. An
// error (of the check, of a unit, or an abort) ends the program in STOP, which waits for a beat
// that the output stream already offers: a valid beat is never taken back.
`default_nettype none
`include "codesign.vh"
module sequencer #(
  parameter ProgramDepth = 16
) (
  input  wire        clk_i,
  input  wire        rst_ni,
  // host
  input  wire        start_i,
  input  wire        continue_i,
  input  wire        abort_i,
  input  wire        discard_i,
  input  wire        step_i,
  input  wire [15:0] program_i,
  output wire        running_o,
  output wire        paused_o,
  output wire        discarding_o,
  output wire        done_o,
  output wire        error_o,
  output wire [3:0]  error_code_o,
  output wire [15:0] layer_o,
  output wire        layer_start_o,
  output reg  [3:0]  cause_o,
  // program memory and the descriptor it holds
  output wire        fetch_o,
  output wire [15:0] fetch_address_o,
  input  wire        last_i,
  input  wire [3:0]  check_i,
  // units
  output wire        read_o,
  output wire        decode_o,
  output wire        start_o,
  output wire        run_o,
  input  wire        finish_i,
  input  wire        fail_i,
  input  wire [3:0]  fail_code_i,
  input  wire [3:0]  cause_i,
  input  wire        beat_held_i,
  input  wire        discarded_i
);
  localparam [3:0] IDLE = 4'd0, ADDRESS = 4'd1, READ = 4'd2, DECODE = 4'd3, START = 4'd4,
                   RUN = 4'd5, PAUSED = 4'd6, STOP = 4'd7, DISCARD = 4'd8;
  localparam [16:0] DEPTH = ProgramDepth[16:0];

  reg [3:0]  state_q, state_d;
  reg [15:0] layer_q, layer_d;
  reg [3:0]  code_q, code_d;

  wire beyond = {1'b0, layer_q} >= DEPTH;

  always @* begin
    state_d = state_q;
    layer_d = layer_q;
    code_d  = code_q;
    case (state_q)
      IDLE:
        if (start_i) begin
          state_d = ADDRESS;
          layer_d = program_i;
        end else if (discard_i) state_d = DISCARD;
      ADDRESS:
        if (beyond) begin
          state_d = STOP;
          code_d  = `E_PROGRAM_END;
        end else state_d = READ;
      READ: state_d = DECODE;
      DECODE:
        if (check_i != `E_NONE) begin
          state_d = STOP;
          code_d  = check_i;
        end else state_d = START;
      START: state_d = RUN;
      RUN:
        if (fail_i) begin
          state_d = STOP;
          code_d  = fail_code_i;
        end else if (finish_i) begin
          if (last_i) state_d = IDLE;
          else if (step_i) state_d = PAUSED;
          else begin
            state_d = ADDRESS;
            layer_d = layer_q + 16'd1;
          end
        end
      PAUSED:
        if (continue_i) begin
          state_d = ADDRESS;
          layer_d = layer_q + 16'd1;
        end
      STOP: if (!beat_held_i) state_d = IDLE;
      DISCARD: if (discarded_i || abort_i) state_d = IDLE;
      default: state_d = IDLE;
    endcase
    if (abort_i && state_q != IDLE && state_q != STOP && state_q != DISCARD) begin
      state_d = STOP;
      layer_d = layer_q;
      code_d  = `E_ABORT;
    end
  end

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      state_q <= IDLE;
      layer_q <= 16'd0;
      code_q  <= `E_NONE;
    end else begin
      state_q <= state_d;
      layer_q <= layer_d;
      code_q  <= code_d;
    end

  always @*
    case (state_q)
      RUN:     cause_o = cause_i;
      STOP:    cause_o = `CAUSE_WAIT;
      default: cause_o = `CAUSE_CONTROL;
    endcase

  assign running_o       = state_q != IDLE && state_q != PAUSED && state_q != DISCARD;
  assign paused_o        = state_q == PAUSED;
  assign discarding_o    = state_q == DISCARD;
  assign done_o          = state_q == RUN && state_d == IDLE;
  assign error_o         = state_q == STOP && state_d == IDLE;
  assign error_code_o    = code_q;
  assign layer_o         = layer_q;
  assign layer_start_o   = state_d == ADDRESS;
  assign fetch_o         = state_q == ADDRESS && !beyond;
  assign fetch_address_o = layer_q;
  assign read_o          = state_q == READ;
  assign decode_o        = state_q == DECODE;
  assign start_o         = state_q == START;
  assign run_o           = state_q == RUN;
endmodule
`default_nettype wire
