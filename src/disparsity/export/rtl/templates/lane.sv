// One lane: a fixed-point input becomes a code, is multiplied by a weight and added to a sum, and the sum is rescaled.
// Steps 2 to 4 of README.txt. One product per clock; sums and outputs are those of the clock before.
module lane #(
    parameter INPUT_MULTIPLIER = 1,
    parameter INPUT_SHIFT = 1,
    parameter CODE_LOW = 0,
    parameter CODE_HIGH = 255,
    parameter CODE_BITS = 8,
    parameter WEIGHT_BITS = 8,
    parameter ACCUMULATOR_BITS = 32,
    parameter OUTPUT_BITS = 32
) (
    input wire clock,
    input wire enable,   // take this product
    input wire first,    // and start a new sum with it
    input wire padding,  // the input is padding: code 0
    input wire signed [31:0] value,
    input wire signed [WEIGHT_BITS-1:0] weight,
    input wire [21:0] multiplier,
    input wire [5:0] shift,
    input wire signed [OUTPUT_BITS-1:0] bias,
    output wire signed [CODE_BITS:0] code,
    output reg signed [ACCUMULATOR_BITS-1:0] sum,
    output wire signed [OUTPUT_BITS-1:0] result
);
    localparam signed [63:0] ONE = 64'sd1;
    localparam signed [63:0] LOW = CODE_LOW, HIGH = CODE_HIGH;
    localparam signed [31:0] SCALE = INPUT_MULTIPLIER;
    localparam signed [63:0] INPUT_HALF = ONE <<< (INPUT_SHIFT - 1);
    localparam signed [63:0] OUTPUT_HIGH = (ONE <<< (OUTPUT_BITS - 1)) - ONE;
    localparam signed [63:0] OUTPUT_LOW = -(ONE <<< (OUTPUT_BITS - 1));

    // Step 2: multiply, round half up, clip to the grid.
    wire signed [63:0] scaled_input = value * SCALE;
    wire signed [63:0] rounded_input = (scaled_input + INPUT_HALF) >>> INPUT_SHIFT;
    wire signed [63:0] clipped_input = rounded_input < LOW ? LOW : rounded_input > HIGH ? HIGH : rounded_input;
    wire signed [63:0] chosen_input = padding ? 64'sd0 : clipped_input;
    assign code = chosen_input[CODE_BITS:0];

    // Step 3: the sum wraps around in two's complement.
    wire signed [ACCUMULATOR_BITS-1:0] product = code * weight;
    always @(posedge clock)
        if (enable) sum <= first ? product : sum + product;

    // Step 4: multiply, round half up, add the bias, saturate.
    wire signed [22:0] factor = {1'b0, multiplier};
    wire signed [63:0] scaled_sum = sum * factor;
    wire signed [63:0] half = ONE <<< (shift - 6'd1);
    wire signed [63:0] rounded_sum = (scaled_sum + half) >>> shift;
    wire signed [63:0] total = rounded_sum + bias;
    wire signed [63:0] saturated = total < OUTPUT_LOW ? OUTPUT_LOW : total > OUTPUT_HIGH ? OUTPUT_HIGH : total;
    assign result = saturated[OUTPUT_BITS-1:0];
endmodule
