// testbench: runs a network on codesign_accelerator and compares every word and every cycle.
//
// The same text for every network. What is run is in three headers beside it: parameters.vh (the
// machine), testbench.vh (how many frames, layers and words), layers.vh (a line a layer), and in
// the .hex files (memory words, frames, expected maps), which the simulation reads.
//
//   1  reset; from then on no handshake signal is X
//   2  registers: what they read, what is refused
//   3  program, weights and parameters are written through the memory window; the first and the
//      last word of each are read back
//   4  every frame, layer by layer: at each pause the nine cycle counters and the words of the map,
//      at the end the result stream with TLAST, the cycles of the frame, the number of frames
//   5  frame 0 once more without pauses: result stream, cycles of the frame
//
// It ends with a line PASS, or with a line FAIL that says what differs first, and exit code 1.
// Inputs change at the falling edge of the clock and are sampled at the rising edge, as the
// machine does it; a bus or a layer that hangs is a FAIL too.
`default_nettype none
`include "codesign.vh"
module testbench;
  `include "parameters.vh"
  `include "testbench.vh"

  localparam Cycle = 10;
  localparam BusLimit = 1000;  // cycles until a bus access must be answered

  localparam ActivationWord = 2 * InputLanes;
  localparam ParameterWord = OutputLanes * BiasBits;
  localparam StreamBits = (ActivationWord + 7) / 8 * 8;
  // A word of any memory, and 32 b more so that one that is narrower can be filled up.
  localparam Wider = ParameterWord > ActivationWord ? ParameterWord : ActivationWord;
  localparam Widest = Wider > WeightWord ? Wider : WeightWord;
  localparam WordBits = (Widest > `DESCRIPTOR_BITS ? Widest : `DESCRIPTOR_BITS) + 32;

  reg clk;
  reg rst_n;
  wire irq;

  reg  [7:0] awaddr, araddr;
  reg [31:0] wdata;
  reg [3:0] wstrb;
  reg awvalid, wvalid, arvalid;
  wire awready, wready, bvalid, arready, rvalid;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata;

  reg [StreamBits-1:0] frame_tdata;
  reg frame_tvalid, frame_tlast;
  wire frame_tready;
  wire [StreamBits-1:0] result_tdata;
  wire result_tvalid, result_tlast;

  codesign_accelerator #(
    .InputLanes(InputLanes),
    .OutputLanes(OutputLanes),
    .WeightBits(WeightBits),
    .WeightWord(WeightWord),
    .BiasBits(BiasBits),
    .Pixels(Pixels),
    .AccBits(AccBits),
    .WeightDepth(WeightDepth),
    .ParameterDepth(ParameterDepth),
    .ProgramDepth(ProgramDepth),
    .BankDepth(BankDepth),
    .Banks(Banks),
    .SkipDepth(SkipDepth),
    .HasThreshold(HasThreshold),
    .HasPool(HasPool),
    .HasArgmax(HasArgmax)
  ) machine (
    .clk_i(clk),
    .rst_ni(rst_n),
    .irq_o(irq),
    .s_axil_awaddr(awaddr),
    .s_axil_awprot(3'd0),
    .s_axil_awvalid(awvalid),
    .s_axil_awready(awready),
    .s_axil_wdata(wdata),
    .s_axil_wstrb(wstrb),
    .s_axil_wvalid(wvalid),
    .s_axil_wready(wready),
    .s_axil_bresp(bresp),
    .s_axil_bvalid(bvalid),
    .s_axil_bready(1'b1),
    .s_axil_araddr(araddr),
    .s_axil_arprot(3'd0),
    .s_axil_arvalid(arvalid),
    .s_axil_arready(arready),
    .s_axil_rdata(rdata),
    .s_axil_rresp(rresp),
    .s_axil_rvalid(rvalid),
    .s_axil_rready(1'b1),
    .s_axis_tdata(frame_tdata),
    .s_axis_tvalid(frame_tvalid),
    .s_axis_tready(frame_tready),
    .s_axis_tlast(frame_tlast),
    .m_axis_tdata(result_tdata),
    .m_axis_tvalid(result_tvalid),
    .m_axis_tready(1'b1),
    .m_axis_tlast(result_tlast)
  );

  // -------------------------------------------------------------------------------- expectations

  reg [`DESCRIPTOR_BITS-1:0] program_words [0:ProgramWords-1];
  reg [WeightWord-1:0] weight_words [0:(WeightWords > 0 ? WeightWords : 1)-1];
  reg [ParameterWord-1:0] parameter_words [0:(ParameterWords > 0 ? ParameterWords : 1)-1];
  reg [StreamBits-1:0] frame_words [0:InputWords-1];
  reg [StreamBits-1:0] result_words [0:OutputWords-1];
  reg [ActivationWord-1:0] map_words [0:MapWords-1];

  // What layers.vh says of the layer that runs.
  reg [8*48-1:0] layer_name;
  reg map_check;           // the layer writes a map
  reg [3:0] map_memory;    // MEMORY_SELECT of its bank
  integer map_base;        // address of its first word
  integer map_size;        // its words
  integer pixel_words;     // words of one pixel
  integer last_lanes;      // lanes of a pixel's last word that hold codes; the others hold anything
  reg [31:0] cycles [0:8]; // by cause
  integer layer_cycles;    // of all causes

  task expect_layer(
    input [8*48-1:0] name,
    input check,
    input [3:0] memory,
    input integer base,
    input integer words,
    input integer words_of_pixel,
    input integer lanes,
    input integer compute,
    input integer weight_load,
    input integer stall,
    input integer drain,
    input integer vector,
    input integer in,
    input integer out,
    input integer control
  );
    begin
      layer_name = name;
      map_check = check;
      map_memory = memory;
      map_base = base;
      map_size = words;
      pixel_words = words_of_pixel;
      last_lanes = lanes;
      cycles[`CAUSE_COMPUTE] = compute;
      cycles[`CAUSE_WEIGHT_LOAD] = weight_load;
      cycles[`CAUSE_STALL] = stall;
      cycles[`CAUSE_DRAIN] = drain;
      cycles[`CAUSE_VECTOR] = vector;
      cycles[`CAUSE_INPUT] = in;
      cycles[`CAUSE_OUTPUT] = out;
      cycles[`CAUSE_CONTROL] = control;
      cycles[`CAUSE_WAIT] = 0;  // the streams here neither starve nor block the machine
      layer_cycles = compute + weight_load + stall + drain + vector + in + out + control;
    end
  endtask

  task select_layer(input integer number);
    begin
      case (number)
        `include "layers.vh"
        default: layer_name = "none";
      endcase
    end
  endtask

  // ------------------------------------------------------------------------------------- failing

  integer frame;
  integer layer;
  reg stepped;
  reg failed;

  // Begins the line FAIL; true for the first difference only, which is the one that is printed.
  task fail_here(output first);
    begin
      first = !failed;
      failed = 1'b1;
      if (first) begin
        $write("FAIL: ");
        if (frame >= 0) $write("frame %0d", frame);
        if (frame >= 0 && !stepped) $write(" without pauses");
        if (layer >= 0) $write(", %0s (descriptor %0d)", layer_name, layer);
        if (frame >= 0) $write(": ");
      end
    end
  endtask

  // Icarus goes on until the next delay behind $fatal, hence `failed`; both end with exit code 1.
  task stop;
    $fatal(1, "stopped at the first difference");
  endtask

  reg here;  // of fail_here in the tasks; the streams have their own

  task check_register(input [7:0] address, input [31:0] wanted);
    begin
      bus_read(address);
      if (bus_word !== wanted) begin
        fail_here(here);
        if (here) $display("register 0x%h is %h, expected %h", address, bus_word, wanted);
        stop;
      end
    end
  endtask

  // --------------------------------------------------------------------------------- clock, reset

  initial begin
    clk = 1'b0;
    forever #(Cycle / 2) clk = !clk;
  end

  reg unknown_here;
  always @(posedge clk)
    if (rst_n === 1'b1 && (^{awready, wready, bvalid, arready, rvalid, frame_tready, result_tvalid,
                             irq} === 1'bx)) begin
      fail_here(unknown_here);
      if (unknown_here) $display("a handshake signal or the interrupt is X");
      stop;
    end

  // ----------------------------------------------------------------------------------- the bus

  // Sampled as the machine samples: what was true at the last rising edge.
  reg aw_taken, w_taken, b_taken, ar_taken, r_taken;
  reg [1:0] response;
  reg [31:0] bus_word;
  always @(posedge clk) begin
    aw_taken <= awvalid && awready;
    w_taken <= wvalid && wready;
    b_taken <= bvalid;
    ar_taken <= arvalid && arready;
    r_taken <= rvalid;
    if (bvalid) response <= bresp;
    if (rvalid) begin
      response <= rresp;
      bus_word <= rdata;
    end
  end

  integer bus_cycles;
  reg bus_waiting;

  task bus_step(input answered);
    begin
      bus_cycles = bus_cycles + 1;
      bus_waiting = answered !== 1'b1;
      if (bus_waiting && bus_cycles > BusLimit) begin
        fail_here(here);
        if (here) $display("the bus has not answered for %0d cycles", bus_cycles);
        stop;
        bus_waiting = 1'b0;
      end
    end
  endtask

  task bus_respond(input writing, input [7:0] address, input refused);
    if (response !== (refused ? 2'b10 : 2'b00)) begin
      fail_here(here);
      if (here)
        $display("a %0s register 0x%h is answered %b, expected %b",
                 writing ? "write to" : "read of", address, response, refused ? 2'b10 : 2'b00);
      stop;
    end
  endtask

  task bus_write_answer(input [7:0] address, input [31:0] value, input refused);
    begin
      awaddr = address;
      wdata = value;
      awvalid = 1'b1;
      wvalid = 1'b1;
      bus_cycles = 0;
      bus_waiting = 1'b1;
      while (bus_waiting) begin
        @(negedge clk);
        if (aw_taken === 1'b1) awvalid = 1'b0;
        if (w_taken === 1'b1) wvalid = 1'b0;
        bus_step(b_taken);
      end
      bus_respond(1'b1, address, refused);
    end
  endtask

  task bus_write(input [7:0] address, input [31:0] value);
    bus_write_answer(address, value, 1'b0);
  endtask

  task bus_read_answer(input [7:0] address, input refused);
    begin
      araddr = address;
      arvalid = 1'b1;
      bus_cycles = 0;
      bus_waiting = 1'b1;
      while (bus_waiting) begin
        @(negedge clk);
        if (ar_taken === 1'b1) arvalid = 1'b0;
        bus_step(r_taken);
      end
      bus_respond(1'b0, address, refused);
    end
  endtask

  task bus_read(input [7:0] address);
    bus_read_answer(address, 1'b0);
  endtask

  // -------------------------------------------------------------------------- the memory window

  integer chunk;
  reg [WordBits-1:0] word;  // that is moved

  task open_window(input [3:0] memory, input integer address);
    begin
      bus_write(`R_MEMORY_SELECT, {28'd0, memory});
      bus_write(`R_MEMORY_ADDRESS, address);
    end
  endtask

  task write_word(input integer bits);
    for (chunk = 0; 32 * chunk < bits; chunk = chunk + 1)
      bus_write(`R_MEMORY_DATA, word[32*chunk +: 32]);
  endtask

  task read_word(input integer bits);
    begin
      word = {WordBits{1'b0}};
      for (chunk = 0; 32 * chunk < bits; chunk = chunk + 1) begin
        bus_read(`R_MEMORY_DATA);
        word[32*chunk +: 32] = bus_word;
      end
    end
  endtask

  reg [WordBits-1:0] image_word;
  integer image_bits;
  integer image_size;
  integer image_address;

  task measure(input [3:0] memory);
    case (memory)
      `MEMORY_PROGRAM: begin
        image_bits = `DESCRIPTOR_BITS;
        image_size = ProgramWords;
      end
      `MEMORY_WEIGHTS: begin
        image_bits = WeightWord;
        image_size = WeightWords;
      end
      default: begin
        image_bits = ParameterWord;
        image_size = ParameterWords;
      end
    endcase
  endtask

  // image_word becomes the word at image_address.
  task pick(input [3:0] memory);
    begin
      image_word = {WordBits{1'b0}};
      case (memory)
        `MEMORY_PROGRAM: image_word[`DESCRIPTOR_BITS-1:0] = program_words[image_address];
        `MEMORY_WEIGHTS: image_word[WeightWord-1:0] = weight_words[image_address];
        default: image_word[ParameterWord-1:0] = parameter_words[image_address];
      endcase
    end
  endtask

  task load_memory(input [3:0] memory);
    begin
      measure(memory);
      open_window(memory, 0);
      for (image_address = 0; image_address < image_size; image_address = image_address + 1) begin
        pick(memory);
        word = image_word;
        write_word(image_bits);
      end
      if (image_size > 0) begin
        check_image(memory, 0);
        check_image(memory, image_size - 1);
      end
    end
  endtask

  task check_image(input [3:0] memory, input integer address);
    begin
      image_address = address;
      pick(memory);
      open_window(memory, address);
      read_word(image_bits);
      if (word !== image_word) begin
        fail_here(here);
        if (here)
          $display("word %0d of memory %0d reads %0h, expected %0h", address, memory, word,
                   image_word);
        stop;
      end
    end
  endtask

  // ------------------------------------------------------------------------------- the streams

  reg streaming;    // a frame is on its way; low between frames
  integer offered;  // words of the frame that have been put on the stream
  integer received; // words of the result

  always @(posedge clk)
    if (!streaming) begin
      frame_tvalid <= 1'b0;
      offered <= 0;
    end else if (!frame_tvalid || frame_tready) begin
      frame_tvalid <= offered < InputWords;
      if (offered < InputWords) begin
        frame_tdata <= frame_words[offered];
        frame_tlast <= offered == InputWords - 1;
        offered <= offered + 1;
      end
    end

  reg result_here;
  always @(posedge clk)
    if (!streaming) received <= 0;
    else if (result_tvalid) begin
      received <= received + 1;
      if (received >= OutputWords) begin
        fail_here(result_here);
        if (result_here) $display("the result has more than %0d words", OutputWords);
        stop;
      end else if (result_tdata !== result_words[received]) begin
        fail_here(result_here);
        if (result_here)
          $display("word %0d of the result is %h, expected %h", received, result_tdata,
                   result_words[received]);
        stop;
      end else if (result_tlast !== (received == OutputWords - 1)) begin
        fail_here(result_here);
        if (result_here)
          $display("TLAST at word %0d of the result is %b, expected at word %0d", received,
                   result_tlast, OutputWords - 1);
        stop;
      end
    end

  // ------------------------------------------------------------------------------- the layers

  integer waited;

  // Until the machine pauses or ends; much more than it needs is a hang.
  task wait_for_interrupt(input integer limit);
    begin
      repeat (2) @(negedge clk);  // a command takes the interrupt away at once
      waited = 0;
      while (irq !== 1'b1 && waited <= limit) begin
        @(negedge clk);
        waited = waited + 1;
      end
      if (irq !== 1'b1) begin
        fail_here(here);
        if (here) $display("no interrupt for %0d cycles", waited);
        stop;
      end
    end
  endtask

  localparam [31:0] PausedStatus = (32'd1 << `F_STATUS_BUSY) | (32'd1 << `F_STATUS_PAUSED);
  localparam [31:0] DoneStatus = 32'd1 << `F_STATUS_DONE;
  localparam [31:0] Interrupts = (32'd1 << `F_MODE_IRQ_DONE) | (32'd1 << `F_MODE_IRQ_ERROR) |
                                 (32'd1 << `F_MODE_IRQ_PAUSE);
  localparam [31:0] Start = 32'd1 << `F_CONTROL_START;
  localparam [31:0] Continue = 32'd1 << `F_CONTROL_CONTINUE;
  localparam [31:0] Clear = 32'd1 << `F_CONTROL_CLEAR;

  task check_status(input [31:0] wanted);
    begin
      bus_read(`R_STATUS);
      if (bus_word[`F_STATUS_ERROR] !== 1'b0) begin
        fail_here(here);
        if (here) $display("the machine stopped with error code %0d",
                           bus_word[`F_STATUS_ERROR_CODE]);
        stop;
      end
      check_register(`R_STATUS, wanted);
    end
  endtask

  reg [3:0] cause;

  function [8*11-1:0] cause_name(input [3:0] number);
    case (number)
      `CAUSE_COMPUTE: cause_name = "compute";
      `CAUSE_WEIGHT_LOAD: cause_name = "weight_load";
      `CAUSE_STALL: cause_name = "stall";
      `CAUSE_DRAIN: cause_name = "drain";
      `CAUSE_VECTOR: cause_name = "vector";
      `CAUSE_INPUT: cause_name = "input";
      `CAUSE_OUTPUT: cause_name = "output";
      `CAUSE_CONTROL: cause_name = "control";
      default: cause_name = "wait";
    endcase
  endfunction

  task check_cycles;
    for (cause = `CAUSE_COMPUTE; cause <= `CAUSE_WAIT; cause = cause + 4'd1) begin
      bus_read(`R_CYCLES_COMPUTE + {2'd0, cause, 2'd0});
      if (bus_word !== cycles[cause]) begin
        fail_here(here);
        if (here)
          $display("cause %0s has %0d cycles, expected %0d", cause_name(cause), bus_word,
                   cycles[cause]);
        stop;
      end
    end
  endtask

  reg [8*96-1:0] path;
  reg [ActivationWord-1:0] mask, wrong;
  integer place;

  task check_map;
    begin
      $sformat(path, "frame_%0d/%0s.hex", frame, layer_name);
      $readmemh(path, map_words, 0, map_size - 1);
      open_window(map_memory, map_base);
      for (place = 0; place < map_size; place = place + 1) begin
        mask = {ActivationWord{1'b1}};
        if ((place + 1) % pixel_words == 0) mask = mask >> (ActivationWord - 2 * last_lanes);
        read_word(ActivationWord);
        wrong = (word[ActivationWord-1:0] ^ map_words[place]) & mask;
        if (wrong !== {ActivationWord{1'b0}}) begin
          fail_here(here);
          if (here)
            $display("word %0d of the map (memory %0d, address %0d) is %h, expected %h, mask %h",
                     place, map_memory, map_base + place, word[ActivationWord-1:0],
                     map_words[place], mask);
          stop;
        end
      end
    end
  endtask

  task read_frame;
    begin
      $sformat(path, "frame_%0d/input.hex", frame);
      $readmemh(path, frame_words);
      $sformat(path, "frame_%0d/output.hex", frame);
      $readmemh(path, result_words);
    end
  endtask

  integer ended;  // frames so far

  // What holds when a frame is done.
  task check_frame;
    begin
      check_status(DoneStatus);
      if (offered !== InputWords || frame_tvalid !== 1'b0 || received !== OutputWords) begin
        fail_here(here);
        if (here)
          $display("%0d of %0d words of the frame were taken, %0d of %0d words of the result came",
                   offered - frame_tvalid, InputWords, received, OutputWords);
        stop;
      end
      streaming = 1'b0;
      ended = ended + 1;
      check_register(`R_FRAMES, ended);
      check_register(`R_FRAME_CYCLES_LOW, FrameCycles[31:0]);
      check_register(`R_FRAME_CYCLES_HIGH, FrameCycles[63:32]);
      bus_write(`R_CONTROL, Clear);
      check_register(`R_STATUS, 32'd0);
    end
  endtask

  task run_stepped;
    begin
      stepped = 1'b1;
      read_frame;
      streaming = 1'b1;
      bus_write(`R_MODE, Interrupts | (32'd1 << `F_MODE_STEP));
      select_layer(0);
      layer = 0;
      bus_write(`R_CONTROL, Start);
      while (layer < Layers) begin
        wait_for_interrupt(2 * layer_cycles + 1000);
        check_status(layer == Layers - 1 ? DoneStatus : PausedStatus);
        check_register(`R_LAYER, layer);
        check_cycles;
        if (map_check) check_map;
        layer = layer + 1;
        if (layer < Layers) begin
          select_layer(layer);
          bus_write(`R_CONTROL, Continue);
        end
      end
      layer = -1;
      check_frame;
    end
  endtask

  task run_through;
    begin
      stepped = 1'b0;
      read_frame;
      streaming = 1'b1;
      bus_write(`R_MODE, Interrupts);
      bus_write(`R_CONTROL, Start);
      wait_for_interrupt(2 * FrameCycles[31:0] + 1000);
      check_frame;
    end
  endtask

  task check_registers;
    begin
      check_register(`R_ID, `IDENTITY);
      check_register(`R_LANES, OutputLanes * 65536 + InputLanes);
      check_register(`R_STATUS, 32'd0);
      check_register(`R_FRAMES, 32'd0);
      bus_write(`R_MODE, Interrupts);
      check_register(`R_MODE, Interrupts);
      bus_write_answer(`R_ID, 32'd0, 1'b1);          // read only
      bus_write_answer(`R_CONTROL, Continue, 1'b1);  // nothing is paused
      bus_write_answer(8'hFC, 32'd0, 1'b1);          // no register
      bus_read_answer(8'hFC, 1'b1);
      wstrb = 4'b0011;
      bus_write_answer(`R_MODE, 32'd0, 1'b1);        // not a whole word
      wstrb = 4'b1111;
      check_register(`R_MODE, Interrupts);
      bus_write(`R_PROGRAM, 32'd0);
    end
  endtask

  initial begin
    frame = -1;
    layer = -1;
    failed = 1'b0;
    stepped = 1'b1;
    streaming = 1'b0;
    ended = 0;
    awvalid = 1'b0;
    wvalid = 1'b0;
    arvalid = 1'b0;
    awaddr = 8'd0;
    araddr = 8'd0;
    wdata = 32'd0;
    wstrb = 4'b1111;
    rst_n = 1'b0;
    $readmemh("program.hex", program_words);
    if (WeightWords > 0) $readmemh("weights.hex", weight_words);
    if (ParameterWords > 0) $readmemh("parameters.hex", parameter_words);
    repeat (4) @(negedge clk);
    rst_n = 1'b1;
    repeat (4) @(negedge clk);
    check_registers;
    load_memory(`MEMORY_PROGRAM);
    load_memory(`MEMORY_WEIGHTS);
    load_memory(`MEMORY_PARAMETERS);
    for (frame = 0; frame < Frames; frame = frame + 1) run_stepped;
    frame = 0;
    run_through;
    if (!failed) begin
      $display("PASS: frames: %0d, layers: %0d, cycles a frame: %0d", Frames, Layers, FrameCycles);
      $finish;
    end
  end
endmodule
`default_nettype wire
