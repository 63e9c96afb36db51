// THE LIST: every kernel's shape record and buffers. `lib/kernels/list.ts` is the same list in
// TypeScript, with the meaning of each kernel; a test compares the two.
#pragma once

#include <cstdint>

#include "list-recurrent.h"

namespace fovea {

// A shape is a record of 32-bit integers followed by 32-bit float constants; the names are kept as
// text for the test and for error messages.
#define FOVEA_STRIP(...) __VA_ARGS__
#define FOVEA_SHAPE(Name, INTEGERS)                    \
  struct Name {                                        \
    static constexpr const char* integers = #INTEGERS; \
    static constexpr const char* constants = "()";     \
    int32_t FOVEA_STRIP INTEGERS;                      \
  };
#define FOVEA_SHAPE_WITH_CONSTANTS(Name, INTEGERS, CONSTANTS) \
  struct Name {                                               \
    static constexpr const char* integers = #INTEGERS;        \
    static constexpr const char* constants = #CONSTANTS;      \
    int32_t FOVEA_STRIP INTEGERS;                             \
    float FOVEA_STRIP CONSTANTS;                              \
  };

FOVEA_SHAPE(BroadcastShape, (d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, aLength, bLength))
FOVEA_SHAPE(ElementsShape, (count))
FOVEA_SHAPE_WITH_CONSTANTS(LeakyReluShape, (count), (slope))
FOVEA_SHAPE_WITH_CONSTANTS(EluShape, (count), (alpha))
FOVEA_SHAPE_WITH_CONSTANTS(ClampShape, (count), (low, high))
FOVEA_SHAPE_WITH_CONSTANTS(AffineShape, (count), (scale, shift))
FOVEA_SHAPE(ReduceShape, (outer, count, inner))
FOVEA_SHAPE(MatmulShape,
            (batch, aBatch, bBatch, m, n, k, transposeA, transposeB, accumulate, activation))
FOVEA_SHAPE(Conv2dShape,
            (batch, inChannels, height, width, outChannels, groupChannels, kernelHeight,
             kernelWidth, strideHeight, strideWidth, padTop, padLeft, dilationHeight, dilationWidth,
             groups, outHeight, outWidth, algorithm, activation))
FOVEA_SHAPE(Conv2dBackwardShape,
            (batch, inChannels, height, width, outChannels, groupChannels, kernelHeight,
             kernelWidth, strideHeight, strideWidth, padTop, padLeft, dilationHeight, dilationWidth,
             groups, outHeight, outWidth, algorithm))
FOVEA_SHAPE(MaxPool2dShape, (planes, height, width, kernelHeight, kernelWidth, strideHeight,
                             strideWidth, padTop, padLeft, outHeight, outWidth))
FOVEA_SHAPE(AvgPool2dShape,
            (planes, height, width, kernelHeight, kernelWidth, strideHeight, strideWidth, padTop,
             padLeft, outHeight, outWidth, countPadding, padBottom, padRight))
FOVEA_SHAPE(AdaptivePool2dShape, (planes, height, width, outHeight, outWidth))
FOVEA_SHAPE_WITH_CONSTANTS(CrossEntropyShape, (rows, classes, ignoreIndex), (smoothing))
FOVEA_SHAPE_WITH_CONSTANTS(BatchNormShape, (batch, channels, inner), (momentum, eps))
FOVEA_SHAPE_WITH_CONSTANTS(BatchNormInferenceShape, (batch, channels, inner), (eps))
FOVEA_SHAPE(BatchNormBackwardShape, (batch, channels, inner))
FOVEA_SHAPE_WITH_CONSTANTS(LayerNormShape, (rows, columns), (eps))
FOVEA_SHAPE(LayerNormBackwardShape, (rows, columns))
FOVEA_SHAPE(RnnShape, (steps, batch, inputSize, hiddenSize, reverse, relu, yStride, yOffset))
FOVEA_SHAPE(GruShape, (steps, batch, inputSize, hiddenSize, reverse, resetAfter, yStride, yOffset))
FOVEA_SHAPE(LstmShape,
            (steps, batch, inputSize, hiddenSize, reverse, projSize, stateSize, yStride, yOffset))
FOVEA_SHAPE(RnnBackwardShape,
            (steps, batch, inputSize, hiddenSize, reverse, relu, yStride, yOffset, accumulate))
FOVEA_SHAPE(GruBackwardShape, (steps, batch, inputSize, hiddenSize, reverse, resetAfter, yStride,
                               yOffset, accumulate))
FOVEA_SHAPE(LstmBackwardShape, (steps, batch, inputSize, hiddenSize, reverse, projSize, stateSize,
                                yStride, yOffset, accumulate))
FOVEA_SHAPE(CrfShape, (steps, batch, tags))
FOVEA_SHAPE_WITH_CONSTANTS(UniformShape, (count, seedWords), (low, high))
FOVEA_SHAPE_WITH_CONSTANTS(NormalShape, (count, seedWords), (mean, std))
FOVEA_SHAPE_WITH_CONSTANTS(DropoutShape, (count, seedWords), (probability))
FOVEA_SHAPE(CopyShape, (d0, d1, d2, d3, d4, d5, d6, d7, x0, x1, x2, x3, x4, x5, x6, x7, y0, y1, y2,
                        y3, y4, y5, y6, y7, xOffset, yOffset, xLength, yLength))
FOVEA_SHAPE_WITH_CONSTANTS(FillShape, (count), (value))
FOVEA_SHAPE(GatherShape, (outer, axisLength, inner, count))
FOVEA_SHAPE(PickShape, (rows, columns))
FOVEA_SHAPE(UpdateShape, (count, settingsLength))
#define FOVEA_BINARY \
  "a: read f32[aLength]; b: read f32[bLength]; y: write f32[d0 d1 d2 d3] over a b"
#define FOVEA_UNARY "x: read f32[count]; y: write f32[count] over x"
#define FOVEA_UNARY_BACKWARD \
  "saved: read f32[count]; gradY: read f32[count]; gradX: write f32[count] over saved gradY"
#define FOVEA_REDUCE "x: read f32[outer count inner]; y: write f32[outer inner]"
#define FOVEA_REDUCE_TO_INDEX "x: read f32[outer count inner]; y: write i32[outer inner]"
#define FOVEA_SOFTMAX "x: read f32[outer count inner]; y: write f32[outer count inner] over x"
#define FOVEA_SOFTMAX_BACKWARD                                                                  \
  "y: read f32[outer count inner]; gradY: read f32[outer count inner]; gradX: write f32[outer " \
  "count inner] over gradY"

#define FOVEA_KERNELS(K)                                                          \
  K(add, BroadcastShape, FOVEA_BINARY)                                            \
  K(sub, BroadcastShape, FOVEA_BINARY)                                            \
  K(mul, BroadcastShape, FOVEA_BINARY)                                            \
  K(div, BroadcastShape, FOVEA_BINARY)                                            \
  K(pow, BroadcastShape, FOVEA_BINARY)                                            \
  K(maximum, BroadcastShape, FOVEA_BINARY)                                        \
  K(minimum, BroadcastShape, FOVEA_BINARY)                                        \
  K(equal, BroadcastShape, FOVEA_BINARY)                                          \
  K(less, BroadcastShape, FOVEA_BINARY)                                           \
  K(neg, ElementsShape, FOVEA_UNARY)                                              \
  K(abs, ElementsShape, FOVEA_UNARY)                                              \
  K(exp, ElementsShape, FOVEA_UNARY)                                              \
  K(log, ElementsShape, FOVEA_UNARY)                                              \
  K(sqrt, ElementsShape, FOVEA_UNARY)                                             \
  K(relu, ElementsShape, FOVEA_UNARY)                                             \
  K(leakyRelu, LeakyReluShape, FOVEA_UNARY)                                       \
  K(elu, EluShape, FOVEA_UNARY)                                                   \
  K(sigmoid, ElementsShape, FOVEA_UNARY)                                          \
  K(tanh, ElementsShape, FOVEA_UNARY)                                             \
  K(gelu, ElementsShape, FOVEA_UNARY)                                             \
  K(silu, ElementsShape, FOVEA_UNARY)                                             \
  K(softplus, ElementsShape, FOVEA_UNARY)                                         \
  K(clamp, ClampShape, FOVEA_UNARY)                                               \
  K(affine, AffineShape, FOVEA_UNARY)                                             \
  K(absBackward, ElementsShape, FOVEA_UNARY_BACKWARD)                             \
  K(logBackward, ElementsShape, FOVEA_UNARY_BACKWARD)                             \
  K(geluBackward, ElementsShape, FOVEA_UNARY_BACKWARD)                            \
  K(siluBackward, ElementsShape, FOVEA_UNARY_BACKWARD)                            \
  K(softplusBackward, ElementsShape, FOVEA_UNARY_BACKWARD)                        \
  K(clampBackward, ClampShape, FOVEA_UNARY_BACKWARD)                              \
  K(expBackward, ElementsShape, FOVEA_UNARY_BACKWARD)                             \
  K(sqrtBackward, ElementsShape, FOVEA_UNARY_BACKWARD)                            \
  K(reluBackward, ElementsShape, FOVEA_UNARY_BACKWARD)                            \
  K(leakyReluBackward, LeakyReluShape, FOVEA_UNARY_BACKWARD)                      \
  K(eluBackward, EluShape, FOVEA_UNARY_BACKWARD)                                  \
  K(sigmoidBackward, ElementsShape, FOVEA_UNARY_BACKWARD)                         \
  K(tanhBackward, ElementsShape, FOVEA_UNARY_BACKWARD)                            \
  K(sum, ReduceShape, FOVEA_REDUCE)                                               \
  K(mean, ReduceShape, FOVEA_REDUCE)                                              \
  K(max, ReduceShape, FOVEA_REDUCE)                                               \
  K(min, ReduceShape, FOVEA_REDUCE)                                               \
  K(sumSquares, ReduceShape, FOVEA_REDUCE)                                        \
  K(argmax, ReduceShape, FOVEA_REDUCE_TO_INDEX)                                   \
  K(argmin, ReduceShape, FOVEA_REDUCE_TO_INDEX)                                   \
  K(matmul, MatmulShape,                                                          \
    "a: read f32[aBatch m k]; "                                                   \
    "b: read f32[bBatch k n] packs; "                                             \
    "bias?: read f32[n]; "                                                        \
    "y: update f32[batch m n]")                                                   \
  K(conv2d, Conv2dShape,                                                          \
    "x: read f32[batch inChannels height width]; "                                \
    "weight: read f32[outChannels groupChannels kernelHeight kernelWidth] "       \
    "packs; "                                                                     \
    "bias?: read f32[outChannels]; "                                              \
    "y: write f32[batch outChannels outHeight outWidth]")                         \
  K(conv2dBackwardInput, Conv2dBackwardShape,                                     \
    "weight: read f32[outChannels groupChannels kernelHeight kernelWidth] "       \
    "packs; "                                                                     \
    "gradY: read f32[batch outChannels outHeight outWidth]; "                     \
    "gradX: write f32[batch inChannels height width]")                            \
  K(conv2dBackwardWeight, Conv2dBackwardShape,                                    \
    "x: read f32[batch inChannels height width]; "                                \
    "gradY: read f32[batch outChannels outHeight outWidth]; "                     \
    "gradWeight: write f32[outChannels groupChannels kernelHeight kernelWidth]; " \
    "gradBias?: write f32[outChannels]")                                          \
  K(maxPool2d, MaxPool2dShape,                                                    \
    "x: read f32[planes height width]; "                                          \
    "y: write f32[planes outHeight outWidth]; "                                   \
    "indices?: write i32[planes outHeight outWidth]")                             \
  K(maxPool2dBackward, MaxPool2dShape,                                            \
    "gradY: read f32[planes outHeight outWidth]; "                                \
    "indices: read i32[planes outHeight outWidth] below height width; "           \
    "gradX: write f32[planes height width]")                                      \
  K(avgPool2d, AvgPool2dShape,                                                    \
    "x: read f32[planes height width]; "                                          \
    "y: write f32[planes outHeight outWidth]")                                    \
  K(avgPool2dBackward, AvgPool2dShape,                                            \
    "gradY: read f32[planes outHeight outWidth]; "                                \
    "gradX: write f32[planes height width]")                                      \
  K(adaptiveAvgPool2d, AdaptivePool2dShape,                                       \
    "x: read f32[planes height width]; "                                          \
    "y: write f32[planes outHeight outWidth]")                                    \
  K(adaptiveAvgPool2dBackward, AdaptivePool2dShape,                               \
    "gradY: read f32[planes outHeight outWidth]; "                                \
    "gradX: write f32[planes height width]")                                      \
  K(softmax, ReduceShape, FOVEA_SOFTMAX)                                          \
  K(logSoftmax, ReduceShape, FOVEA_SOFTMAX)                                       \
  K(softmaxBackward, ReduceShape, FOVEA_SOFTMAX_BACKWARD)                         \
  K(logSoftmaxBackward, ReduceShape, FOVEA_SOFTMAX_BACKWARD)                      \
  K(crossEntropy, CrossEntropyShape,                                              \
    "x: read f32[rows classes]; "                                                 \
    "target: read i32[rows] below classes except ignoreIndex; "                   \
    "weight?: read f32[classes]; "                                                \
    "losses: write f32[rows]; "                                                   \
    "rowWeights: write f32[rows]; "                                               \
    "probabilities: write f32[rows classes]")                                     \
  K(crossEntropyBackward, CrossEntropyShape,                                      \
    "probabilities: read f32[rows classes]; "                                     \
    "target: read i32[rows] below classes except ignoreIndex; "                   \
    "weight?: read f32[classes]; "                                                \
    "gradLosses: read f32[rows]; "                                                \
    "gradX: write f32[rows classes] over probabilities")                          \
  K(batchNorm, BatchNormShape,                                                    \
    "x: read f32[batch channels inner]; "                                         \
    "weight?: read f32[channels]; "                                               \
    "bias?: read f32[channels]; "                                                 \
    "runningMean?: update f32[channels]; "                                        \
    "runningVar?: update f32[channels]; "                                         \
    "y: write f32[batch channels inner]; "                                        \
    "mean: write f32[channels]; "                                                 \
    "inverseStd: write f32[channels]")                                            \
  K(batchNormInference, BatchNormInferenceShape,                                  \
    "x: read f32[batch channels inner]; "                                         \
    "mean: read f32[channels]; "                                                  \
    "variance: read f32[channels]; "                                              \
    "weight?: read f32[channels]; "                                               \
    "bias?: read f32[channels]; "                                                 \
    "y: write f32[batch channels inner] over x")                                  \
  K(batchNormBackward, BatchNormBackwardShape,                                    \
    "x: read f32[batch channels inner]; "                                         \
    "gradY: read f32[batch channels inner]; "                                     \
    "weight?: read f32[channels]; "                                               \
    "mean: read f32[channels]; "                                                  \
    "inverseStd: read f32[channels]; "                                            \
    "gradX: write f32[batch channels inner]; "                                    \
    "gradWeight: write f32[channels]; "                                           \
    "gradBias: write f32[channels]")                                              \
  K(layerNorm, LayerNormShape,                                                    \
    "x: read f32[rows columns]; "                                                 \
    "weight?: read f32[columns]; "                                                \
    "bias?: read f32[columns]; "                                                  \
    "y: write f32[rows columns]; "                                                \
    "mean: write f32[rows]; "                                                     \
    "inverseStd: write f32[rows]")                                                \
  K(layerNormBackward, LayerNormBackwardShape,                                    \
    "x: read f32[rows columns]; "                                                 \
    "gradY: read f32[rows columns]; "                                             \
    "weight?: read f32[columns]; "                                                \
    "mean: read f32[rows]; "                                                      \
    "inverseStd: read f32[rows]; "                                                \
    "gradX: write f32[rows columns]; "                                            \
    "gradWeight: write f32[columns]; "                                            \
    "gradBias: write f32[columns]")                                               \
  FOVEA_RECURRENT_KERNELS(K)                                                      \
  K(uniform, UniformShape,                                                        \
    "seed: read i32[seedWords]; "                                                 \
    "y: write f32[count]")                                                        \
  K(normal, NormalShape,                                                          \
    "seed: read i32[seedWords]; "                                                 \
    "y: write f32[count]")                                                        \
  K(dropout, DropoutShape,                                                        \
    "x: read f32[count]; "                                                        \
    "seed: read i32[seedWords]; "                                                 \
    "y: write f32[count] over x")                                                 \
  K(copy, CopyShape,                                                              \
    "x: read f32[xLength]; "                                                      \
    "y: update f32[yLength]")                                                     \
  K(fill, FillShape, "y: write f32[count]")                                       \
  K(gather, GatherShape,                                                          \
    "x: read f32[outer axisLength inner]; "                                       \
    "indices: read i32[count] below axisLength; "                                 \
    "y: write f32[outer count inner]")                                            \
  K(gatherBackward, GatherShape,                                                  \
    "gradY: read f32[outer count inner]; "                                        \
    "indices: read i32[count] below axisLength; "                                 \
    "gradX: update f32[outer axisLength inner]")                                  \
  K(pick, PickShape,                                                              \
    "x: read f32[rows columns]; "                                                 \
    "indices: read i32[rows] below columns; "                                     \
    "y: write f32[rows]")                                                         \
  K(pickBackward, PickShape,                                                      \
    "gradY: read f32[rows]; "                                                     \
    "indices: read i32[rows] below columns; "                                     \
    "gradX: write f32[rows columns]")                                             \
  K(sgd, UpdateShape,                                                             \
    "settings: read f32[settingsLength]; "                                        \
    "grad: read f32[count]; "                                                     \
    "param: update f32[count]; "                                                  \
    "velocity?: update f32[count]")                                               \
  K(adam, UpdateShape,                                                            \
    "settings: read f32[settingsLength]; "                                        \
    "grad: read f32[count]; "                                                     \
    "param: update f32[count]; "                                                  \
    "average: update f32[count]; "                                                \
    "squareAverage: update f32[count]")                                           \
  K(rmsprop, UpdateShape,                                                         \
    "settings: read f32[settingsLength]; "                                        \
    "grad: read f32[count]; "                                                     \
    "param: update f32[count]; "                                                  \
    "squareAverage: update f32[count]; "                                          \
    "velocity?: update f32[count]; "                                              \
    "average?: update f32[count]")                                                \
  K(adagrad, UpdateShape,                                                         \
    "settings: read f32[settingsLength]; "                                        \
    "grad: read f32[count]; "                                                     \
    "param: update f32[count]; "                                                  \
    "squareSum: update f32[count]")

}  // namespace fovea
