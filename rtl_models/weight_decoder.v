// weight_decoder: one weight tile as codes, filled word by word.
//
// A word holds floor(WeightWord / bits) codes of `bits`, lowest first; code p of word n is code n *
// floor(WeightWord / bits) + p of the tile. So every place of the tile has one fixed source for
// each width, and no shifter: a multiplexer of WeightBits inputs. One word a cycle, in the tile a
// cycle later.
`default_nettype none
module weight_decoder #(
  parameter WeightBits = 3,
  parameter WeightWord = 12,
  parameter Codes      = 16          // InputLanes * OutputLanes
) (
  input  wire                        clk_i,
  input  wire                        load_i,
  input  wire [WeightWord-1:0]       word_i,
  input  wire [16:0]                 number_i,
  input  wire [3:0]                  bits_i,
  output reg  [Codes*WeightBits-1:0] codes_o
);
  genvar width, place;
  generate
    for (width = 1; width <= WeightBits; width = width + 1) begin : g_width
      localparam PerWord = WeightWord / width;
      localparam [3:0] BITS = width;
      for (place = 0; place < Codes; place = place + 1) begin : g_place
        localparam [31:0] NUMBER = place / PerWord;
        wire [WeightBits-1:0] code;
        assign code[width-1:0] = word_i[(place%PerWord)*width +: width];
        if (width < WeightBits) begin : g_zeros
          assign code[WeightBits-1:width] = {(WeightBits-width){1'b0}};
        end
        always @(posedge clk_i)
          if (load_i && bits_i == BITS && number_i == NUMBER[16:0])
            codes_o[place*WeightBits +: WeightBits] <= code;
      end
    end
  endgenerate
endmodule
`default_nettype wire
