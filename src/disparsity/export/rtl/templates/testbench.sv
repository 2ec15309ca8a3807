// One call of one convolution, as example.svh names it, through one lane, in the address order of README.txt.
// From this folder:  iverilog -g2012 -I rtl -o example.vvp rtl/lane.sv rtl/testbench.sv && vvp -n example.vvp
// or:                verilator --binary --timing -Wno-fatal -Irtl --top-module testbench rtl/lane.sv rtl/testbench.sv
//                    and then obj_dir/Vtestbench
// +outputs=N stops after the first N outputs.
`timescale 1ns / 1ps
`include "example.svh"

module testbench;
    reg [31:0] inputs[0:`INPUT_WORDS-1];
    reg [`CODE_BITS-1:0] codes[0:`INPUT_WORDS-1];
    reg [`WEIGHT_BITS-1:0] weights[0:`WEIGHT_WORDS-1];
    reg [21:0] multipliers[0:`OUT_CHANNELS-1];
    reg [5:0] shifts[0:`OUT_CHANNELS-1];
    reg [`OUTPUT_BITS-1:0] biases[0:`OUT_CHANNELS-1];
    reg [`OUTPUT_BITS-1:0] outputs[0:`OUTPUT_WORDS-1];

    reg clock = 0, enable = 0, first = 0, padding = 0;
    reg signed [31:0] value = 0;
    reg signed [`WEIGHT_BITS-1:0] weight = 0;
    reg [21:0] multiplier = 0;
    reg [5:0] shift = 1;
    reg signed [`OUTPUT_BITS-1:0] bias = 0;
    wire signed [`CODE_BITS:0] code;
    wire signed [`ACCUMULATOR_BITS-1:0] sum;
    wire signed [`OUTPUT_BITS-1:0] result;

    lane #(
        .INPUT_MULTIPLIER(`INPUT_MULTIPLIER), .INPUT_SHIFT(`INPUT_SHIFT),
        .CODE_LOW(`CODE_LOW), .CODE_HIGH(`CODE_HIGH), .CODE_BITS(`CODE_BITS),
        .WEIGHT_BITS(`WEIGHT_BITS), .ACCUMULATOR_BITS(`ACCUMULATOR_BITS), .OUTPUT_BITS(`OUTPUT_BITS)
    ) lane (
        .clock(clock), .enable(enable), .first(first), .padding(padding), .value(value), .weight(weight),
        .multiplier(multiplier), .shift(shift), .bias(bias), .code(code), .sum(sum), .result(result)
    );

    integer image, channel, group, a, b, c, inner, ta, tb, tc, ia, ib, ic, at, address, failures, limit;
    reg signed [63:0] stored;

    task take_product(input is_first);
        begin
            ia = a * `STRIDE_0 + ta * `DILATION_0 - `PADDING_0;
            ib = b * `STRIDE_1 + tb * `DILATION_1 - `PADDING_1;
            ic = c * `STRIDE_2 + tc * `DILATION_2 - `PADDING_2;
            padding = ia < 0 || ia >= `IN_0 || ib < 0 || ib >= `IN_1 || ic < 0 || ic >= `IN_2;
            at = (((image * `IN_CHANNELS + group * `GROUP_INPUTS + inner) * `IN_0 + ia) * `IN_1 + ib) * `IN_2 + ic;
            value = padding ? 0 : inputs[at];
            weight = weights[(((channel * `GROUP_INPUTS + inner) * `KERNEL_0 + ta) * `KERNEL_1 + tb) * `KERNEL_2 + tc];
            first = is_first;
            enable = 1;
            #1;
            stored = padding ? 0 : codes[at] + `CODE_LOW;
            if (code !== stored[`CODE_BITS:0]) begin
                failures = failures + 1;
                $display("FAILED  code at address %0d: computed %0d, stored %0d", at, code, stored);
            end
            clock = 1;
            #1 clock = 0;
        end
    endtask

    initial begin
        $readmemh(`INPUT_FILE, inputs);
        $readmemh(`CODE_FILE, codes);
        $readmemh(`WEIGHT_FILE, weights);
        $readmemh(`MULTIPLIER_FILE, multipliers);
        $readmemh(`SHIFT_FILE, shifts);
        $readmemh(`BIAS_FILE, biases);
        $readmemh(`OUTPUT_FILE, outputs);
        failures = 0;
        address = 0;
        if (!$value$plusargs("outputs=%d", limit)) limit = `OUTPUT_WORDS;
        for (image = 0; image < `IMAGES; image = image + 1)
        for (channel = 0; channel < `OUT_CHANNELS; channel = channel + 1) begin
            group = channel / `GROUP_OUTPUTS;
            multiplier = multipliers[channel];
            shift = shifts[channel];
            bias = biases[channel];
            for (a = 0; a < `OUT_0; a = a + 1)
            for (b = 0; b < `OUT_1; b = b + 1)
            for (c = 0; c < `OUT_2; c = c + 1) if (address < limit) begin
                for (inner = 0; inner < `GROUP_INPUTS; inner = inner + 1)
                for (ta = 0; ta < `KERNEL_0; ta = ta + 1)
                for (tb = 0; tb < `KERNEL_1; tb = tb + 1)
                for (tc = 0; tc < `KERNEL_2; tc = tc + 1)
                    take_product(inner == 0 && ta == 0 && tb == 0 && tc == 0);
                enable = 0;
                #1;
                if (result !== outputs[address]) begin
                    failures = failures + 1;
                    $display("FAILED  output at address %0d: computed %h, stored %h", address, result, outputs[address]);
                end
                address = address + 1;
                if (failures > 9) $fatal(1, "FAILED  too many differences");
            end
        end
        if (failures > 0) $fatal(1, "FAILED  %0d differences", failures);
        $display("ok      %s: %0d of %0d outputs", `LAYER, address, `OUTPUT_WORDS);
        $finish;
    end
endmodule
