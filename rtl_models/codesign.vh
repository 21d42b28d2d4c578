// codesign.vh: descriptor fields, codes, registers, errors and causes of a cycle.
//
// Generated, do not edit: python -m codesign.rtl.header
`ifndef CODESIGN_VH
`define CODESIGN_VH

// Descriptor: width of a word, bits of each field.
`define DESCRIPTOR_BITS          416
`define D_OPERATION              2:0
`define D_SOURCE_BANK            6:3
`define D_SOURCE_BASE            30:7
`define D_TARGET_BANK            34:31
`define D_TARGET_BASE            58:35
`define D_INPUT_CHANNELS         74:59
`define D_INPUT_HEIGHT           86:75
`define D_INPUT_WIDTH            98:87
`define D_OUTPUT_CHANNELS        114:99
`define D_OUTPUT_HEIGHT          126:115
`define D_OUTPUT_WIDTH           138:127
`define D_GROUP_INPUTS           154:139
`define D_GROUP_OUTPUTS          170:155
`define D_KERNEL_ROWS            176:171
`define D_KERNEL_COLUMNS         182:177
`define D_STRIDE_ROWS            186:183
`define D_STRIDE_COLUMNS         190:187
`define D_PADDING_ROWS           196:191
`define D_PADDING_COLUMNS        202:197
`define D_PAD_CODE               210:203
`define D_BLOCK_ROWS             222:211
`define D_BLOCK_COLUMNS          234:223
`define D_WEIGHT_BASE            258:235
`define D_WEIGHT_BITS            262:259
`define D_WEIGHT_LOW             271:263
`define D_WEIGHT_STEP            273:272
`define D_INPUT_FORM             275:274
`define D_INPUT_LANES            278:276
`define D_OUTPUT_FORM            280:279
`define D_OUTPUT_LANES           283:281
`define D_BIAS                   284
`define D_BIAS_BASE              300:285
`define D_SHIFT                  306:301
`define D_ACTIVATION             308:307
`define D_CLIP_LOW               340:309
`define D_CLIP_HIGH              372:341
`define D_POOL                   373
`define D_POOL_ROWS              379:374
`define D_POOL_COLUMNS           385:380
`define D_POOL_STRIDE_ROWS       391:386
`define D_POOL_STRIDE_COLUMNS    397:392
`define D_SHUFFLE                413:398
`define D_REDUCE                 415:414

// Codes of `operation`.
`define OP_STOP                  3'd0
`define OP_LOAD                  3'd1
`define OP_STORE                 3'd2
`define OP_PRODUCT               3'd3
`define OP_VECTOR                3'd4
`define OP_REORDER               3'd5

// Codes of `input_form`, `output_form`.
`define FORM_UNSIGNED            2'd0
`define FORM_SIGNED              2'd1
`define FORM_BIPOLAR             2'd2

// Codes of `activation`.
`define ACT_NONE                 2'd0
`define ACT_HEAVISIDE            2'd1
`define ACT_SIGN                 2'd2
`define ACT_CLIP                 2'd3

// Codes of `reduce`.
`define REDUCE_NONE              2'd0
`define REDUCE_SUM               2'd1
`define REDUCE_INDEX             2'd2

// Causes of a cycle.
`define CAUSE_COMPUTE            4'd0
`define CAUSE_WEIGHT_LOAD        4'd1
`define CAUSE_STALL              4'd2
`define CAUSE_DRAIN              4'd3
`define CAUSE_VECTOR             4'd4
`define CAUSE_INPUT              4'd5
`define CAUSE_OUTPUT             4'd6
`define CAUSE_CONTROL            4'd7
`define CAUSE_WAIT               4'd8

// Errors.
`define E_NONE                   4'd0
`define E_OPERATION              4'd1
`define E_BANK                   4'd2
`define E_SIZE                   4'd3
`define E_WEIGHTS                4'd4
`define E_FORM                   4'd5
`define E_BLOCK                  4'd6
`define E_UNIT                   4'd7
`define E_ADDRESS                4'd8
`define E_STREAM_SHORT           4'd9
`define E_STREAM_LONG            4'd10
`define E_PROGRAM_END            4'd11
`define E_ABORT                  4'd12

// Registers: byte addresses.
`define R_ID                     8'h00
`define R_CONTROL                8'h04
`define R_STATUS                 8'h08
`define R_MODE                   8'h0C
`define R_PROGRAM                8'h10
`define R_LAYER                  8'h14
`define R_FRAMES                 8'h18
`define R_LANES                  8'h1C
`define R_CYCLES_COMPUTE         8'h40
`define R_CYCLES_WEIGHT_LOAD     8'h44
`define R_CYCLES_STALL           8'h48
`define R_CYCLES_DRAIN           8'h4C
`define R_CYCLES_VECTOR          8'h50
`define R_CYCLES_INPUT           8'h54
`define R_CYCLES_OUTPUT          8'h58
`define R_CYCLES_CONTROL         8'h5C
`define R_CYCLES_WAIT            8'h60
`define R_FRAME_CYCLES_LOW       8'h64
`define R_FRAME_CYCLES_HIGH      8'h68
`define R_MEMORY_SELECT          8'h80
`define R_MEMORY_ADDRESS         8'h84
`define R_MEMORY_DATA            8'h88

// Registers: bits of their fields.
`define F_CONTROL_START          0
`define F_CONTROL_CONTINUE       1
`define F_CONTROL_ABORT          2
`define F_CONTROL_CLEAR          3
`define F_CONTROL_DISCARD        4
`define F_STATUS_BUSY            0
`define F_STATUS_PAUSED          1
`define F_STATUS_DONE            2
`define F_STATUS_ERROR           3
`define F_STATUS_DISCARDING      4
`define F_STATUS_ERROR_CODE      15:8
`define F_MODE_IRQ_DONE          0
`define F_MODE_IRQ_ERROR         1
`define F_MODE_IRQ_PAUSE         2
`define F_MODE_STEP              3
`define F_PROGRAM_ADDRESS        15:0
`define F_LAYER_ADDRESS          15:0
`define F_LANES_INPUT            15:0
`define F_LANES_OUTPUT           31:16
`define F_MEMORY_SELECT_MEMORY   7:0
`define F_MEMORY_ADDRESS_ADDRESS 23:0

// Memories as MEMORY_SELECT numbers them; bank b is MEMORY_BANK + b.
`define MEMORY_PROGRAM           4'd0
`define MEMORY_WEIGHTS           4'd1
`define MEMORY_PARAMETERS        4'd2
`define MEMORY_BANK              4'd8

// What ID reads.
`define IDENTITY                 32'h434F4431

`endif
