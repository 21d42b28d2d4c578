// residual_unit gives, for every mode, form and pair of codes, the value that its table says: computed
// here in integers, of the values that the codes stand for. Combinational: one step is a proof.
`default_nettype none
module residual_unit_formal (
  input wire [2:0] mode,
  input wire [1:0] form,
  input wire       select,
  input wire [3:0] a, b
);
  residual_unit_check #(.CodeBits(1)) one  (.mode(mode), .form(form), .select(select), .a(a[0]), .b(b[0]));
  residual_unit_check #(.CodeBits(2)) two  (.mode(mode), .form(form), .select(select), .a(a[1:0]), .b(b[1:0]));
  residual_unit_check #(.CodeBits(4)) four (.mode(mode), .form(form), .select(select), .a(a), .b(b));
endmodule

`include "codesign.vh"
module residual_unit_check #(
  parameter CodeBits = 2
) (
  input wire [2:0]          mode,
  input wire [1:0]          form,
  input wire                select,
  input wire [CodeBits-1:0] a, b
);
  wire [CodeBits-1:0] code;
  residual_unit #(.CodeBits(CodeBits)) unit (
    .mode_i (mode), .form_i (form), .select_i (select), .a_i (a), .b_i (b), .code_o (code)
  );

  // what a code stands for
  function signed [9:0] value(input [1:0] kind, input [CodeBits-1:0] stored);
    value = kind == `FORM_BIPOLAR ? (stored[0] ? 10'sd1 : -10'sd1)
          : $signed({10'd0, stored})
            - (kind == `FORM_SIGNED && stored[CodeBits-1] ? 10'sd1 <<< CodeBits : 10'sd0);
  endfunction
  wire signed [9:0] va = value(form, a), vb = value(form, b);
  wire average = mode[1:0] == 2'd3;
  // the average of bipolar codes leaves in two's complement
  wire signed [9:0] found = value(average && form == `FORM_BIPOLAR ? `FORM_SIGNED : form, code);
  // floor: 2 * half <= sum <= 2 * half + 1
  wire signed [9:0] twice = found + found;

  always @* begin
    assume (form != 2'd3);
    if (mode == 3'd4) assert (found == (select ? va : vb));
    else if (mode == 3'd0 || (mode[2] && !select)) begin
      if (!(CodeBits == 1 && average && form == `FORM_BIPOLAR)) assert (found == va);
    end
    else if (mode[1:0] == 2'd1) begin
      assert (found >= va && found >= vb);
      assert (found == va || found == vb);
    end else if (mode[1:0] == 2'd2) begin
      assert (found <= va && found <= vb);
      assert (found == va || found == vb);
    end else if (CodeBits > 1 || form != `FORM_BIPOLAR)   // -1, 0 and 1 take two bits
      assert (twice == va + vb || twice + 10'sd1 == va + vb);
    // on one bit these are the gates
    if (CodeBits == 1 && form != `FORM_SIGNED && (!mode[2] || select)) begin
      if (mode[1:0] == 2'd1) assert (code == (a | b));
      if (mode[1:0] == 2'd2) assert (code == (a & b));
    end
  end
endmodule
