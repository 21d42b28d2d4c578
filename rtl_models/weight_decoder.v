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
  genvar place, width;
  generate
    for (place = 0; place < Codes; place = place + 1) begin : g_place
      // what the place takes from the word, at each width
      wire [WeightBits-1:0]            here;
      wire [WeightBits*WeightBits-1:0] codes;
      for (width = 1; width <= WeightBits; width = width + 1) begin : g_width
        localparam PerWord = WeightWord / width;
        localparam [3:0]  BITS   = width;
        localparam [31:0] NUMBER = place / PerWord;
        localparam Low = (width - 1) * WeightBits;
        assign here[width-1] = bits_i == BITS && number_i == NUMBER[16:0];
        assign codes[Low +: width] = word_i[place % PerWord * width +: width];
        if (width < WeightBits) begin : g_zeros
          assign codes[Low + width +: WeightBits - width] = {(WeightBits-width){1'b0}};
        end
      end
      integer choice;
      always @(posedge clk_i)
        if (load_i)
          for (choice = 0; choice < WeightBits; choice = choice + 1)
            if (here[choice])
              codes_o[place*WeightBits +: WeightBits] <= codes[choice*WeightBits +: WeightBits];
    end
  endgenerate
endmodule
`default_nettype wire
