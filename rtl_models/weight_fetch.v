// weight_fetch: reads the words of the next step's weight tile, one a cycle, into the free tile
// buffer.
//
// A tile of W words takes W + 1 cycles from begin_i's next cycle: addresses in the first W, each
// word in the buffer a cycle later. ready_o is high in the cycle in which the last word arrives,
// and after it. Tiles follow each other in the memory in the order of use; a further block of the
// same output tile (move 1, 2) begins its tiles again.
//
//   cycle      0      1     2     3     4        W = 3
//   begin_i  __/~~\____________________
//   en_o     ______/~~~~~~~~~~~~~~~~\__
//   load_o   ____________/~~~~~~~~~~~~~~~~\__
//   ready_o  ______________________/~~~~~~~~~
`default_nettype none
`include "codesign.vh"
module weight_fetch #(
  parameter WeightBits = 3,
  parameter WeightWord = 12
) (
  input  wire        clk_i,
  input  wire        rst_ni,
  input  wire        start_i,       // first tile of a layer
  input  wire        begin_i,       // the step walker moves on: its next tile
  input  wire        none_i,        // with begin_i: there is no further tile
  input  wire        run_i,
  input  wire [23:0] base_i,
  input  wire [3:0]  bits_i,
  input  wire [8:0]  outputs_i,
  input  wire [3:0]  inputs_log_i,
  input  wire        first_step_i,
  input  wire [1:0]  move_i,
  output wire        en_o,
  output wire [23:0] address_o,
  output wire        load_o,        // a word is on the memory's output
  output wire [16:0] number_o,      // which word of its tile
  output wire        buffer_o,      // the tile buffer it goes to
  output wire        ready_o
);
  // codes of `bits` in a word
  wire [(WeightBits+1)*17-1:0] choices;
  assign choices[16:0] = 17'd0;
  genvar width;
  generate
    for (width = 1; width <= WeightBits; width = width + 1) begin : g_width
      localparam [3:0]  BITS     = width;
      localparam [31:0] PER_WORD = WeightWord / width;
      assign choices[17*width +: 17] = choices[17*(width-1) +: 17]
                                       | (bits_i == BITS ? PER_WORD[16:0] : 17'd0);
    end
  endgenerate
  wire [16:0] per_word = choices[17*WeightBits +: 17];

  reg        fetching_q, fresh_q, arrived_q, last_q, ready_q, buffer_q;
  reg [23:0] pointer_q, tile_q;
  reg [17:0] place_q;                // codes addressed so far
  reg [16:0] word_q, number_q;

  wire [17:0] codes   = {9'd0, outputs_i} << inputs_log_i;
  wire [17:0] place_d = place_q + {1'b0, per_word};
  wire        again   = fresh_q && first_step_i && (move_i == 2'd1 || move_i == 2'd2);
  wire        fresh_tile = fresh_q && first_step_i && move_i == 2'd3;

  assign en_o      = run_i && fetching_q;
  assign address_o = again ? tile_q : pointer_q;
  assign load_o    = arrived_q;
  assign number_o  = number_q;
  assign buffer_o  = buffer_q;
  assign ready_o   = ready_q || (arrived_q && last_q);

  always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) begin
      fetching_q <= 1'b0;
      arrived_q  <= 1'b0;
      ready_q    <= 1'b0;
    end else begin
      arrived_q <= en_o;
      if (start_i) begin
        fetching_q <= 1'b1;
        ready_q    <= 1'b0;
      end else if (!run_i) begin
        fetching_q <= 1'b0;
        arrived_q  <= 1'b0;
      end else if (begin_i) begin
        fetching_q <= !none_i;
        ready_q    <= 1'b0;
      end else begin
        if (place_d >= codes) fetching_q <= 1'b0;
        if (arrived_q && last_q) ready_q <= 1'b1;
      end
    end

  always @(posedge clk_i) begin
    last_q   <= place_d >= codes;
    number_q <= word_q;
    if (start_i) begin
      pointer_q <= base_i;
      tile_q    <= base_i;
      buffer_q  <= 1'b0;
    end else if (en_o) begin
      pointer_q <= address_o + 24'd1;
      if (fresh_tile) tile_q <= pointer_q;
    end
    if (start_i || begin_i) begin
      place_q <= 18'd0;
      word_q  <= 17'd0;
      fresh_q <= 1'b1;
      if (!start_i) buffer_q <= !buffer_q;
    end else if (en_o) begin
      place_q <= place_d;
      word_q  <= word_q + 17'd1;
      fresh_q <= 1'b0;
    end
  end
endmodule
`default_nettype wire
