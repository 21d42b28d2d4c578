// Whatever words come in whatever order: a place of the tile holds the code that the last word of its
// number had for it. Proved by induction for one place, width and time that the solver may choose.
`default_nettype none
module weight_decoder_formal (
  input wire        clk_i,
  input wire        load,
  input wire [12:0] word,
  input wire [16:0] number,
  input wire [3:0]  bits
);
  localparam WeightBits = 4;
  localparam WeightWord = 13;   // no width divides it
  localparam Codes      = 10;

  wire [Codes*WeightBits-1:0] codes;
  weight_decoder #(
    .WeightBits (WeightBits),
    .WeightWord (WeightWord),
    .Codes      (Codes)
  ) dut (
    .clk_i    (clk_i),
    .load_i   (load),
    .word_i   (word),
    .number_i (number),
    .bits_i   (bits),
    .codes_o  (codes)
  );

  (* anyconst *) reg [3:0] place;
  (* anyconst *) reg [3:0] width;
  wire [4:0]  per_word = width == 4'd1 ? 5'd13 : width == 4'd2 ? 5'd6 : width == 4'd3 ? 5'd4 : 5'd3;
  wire [3:0]  low      = (place % per_word) * width;
  wire [12:0] shifted  = word >> low;
  wire [3:0]  wanted   = shifted[3:0] & ~(4'b1111 << width);
  wire [3:0]  held     = codes[place*WeightBits +: WeightBits];

  // the layer's width stays; the place's code is known from its first word on
  reg       known = 1'b0;
  reg [3:0] expected;
  always @(posedge clk_i)
    if (load && number == place / per_word) begin
      known    <= 1'b1;
      expected <= wanted;
    end

  always @* begin
    assume (place < Codes);
    assume (width >= 4'd1 && width <= WeightBits);
    assume (bits == width);
    if (known) assert (held == expected);
  end
endmodule
