// codesign.vh: descriptor fields, codes, registers, errors and causes of a cycle.
//
// Generated, do not edit: python -m codesign.rtl.header
`ifndef CODESIGN_VH
`define CODESIGN_VH

// Descriptor: width of a word, bits of each field.
`define DESCRIPTOR_BITS          448
`define D_OPERATION              2:0
`define D_LAST                   3
`define D_FRAME_END              4
`define D_SOURCE_BANK            8:5
`define D_SOURCE_BASE            32:9
`define D_TARGET_BANK            36:33
`define D_TARGET_BASE            60:37
`define D_INPUT_CHANNELS         76:61
`define D_INPUT_HEIGHT           88:77
`define D_INPUT_WIDTH            100:89
`define D_OUTPUT_CHANNELS        116:101
`define D_OUTPUT_HEIGHT          128:117
`define D_OUTPUT_WIDTH           140:129
`define D_GROUP_INPUTS           156:141
`define D_GROUP_OUTPUTS          172:157
`define D_KERNEL_ROWS            178:173
`define D_KERNEL_COLUMNS         184:179
`define D_STRIDE_ROWS            188:185
`define D_STRIDE_COLUMNS         192:189
`define D_PADDING_ROWS           198:193
`define D_PADDING_COLUMNS        204:199
`define D_PAD_CODE               212:205
`define D_BLOCK_ROWS             224:213
`define D_BLOCK_COLUMNS          236:225
`define D_WEIGHT_BASE            260:237
`define D_WEIGHT_BITS            264:261
`define D_WEIGHT_LOW             273:265
`define D_WEIGHT_STEP            275:274
`define D_INPUT_FORM             277:276
`define D_INPUT_LANES            280:278
`define D_OUTPUT_FORM            282:281
`define D_OUTPUT_LANES           285:283
`define D_BIAS                   286
`define D_BIAS_BASE              302:287
`define D_SHIFT                  308:303
`define D_ACTIVATION             310:309
`define D_CLIP_LOW               342:311
`define D_CLIP_HIGH              374:343
`define D_POOL                   375
`define D_POOL_ROWS              381:376
`define D_POOL_COLUMNS           387:382
`define D_POOL_STRIDE_ROWS       393:388
`define D_POOL_STRIDE_COLUMNS    399:394
`define D_SHUFFLE                415:400
`define D_SHUFFLE_CHANNELS       431:416
`define D_REDUCE                 433:432

// Codes of `operation`.
`define OP_ILLEGAL               3'd0
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
