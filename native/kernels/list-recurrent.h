// The part of the list that reads sequences: recurrent cells, and conditional random fields. As
// `lib/kernels/list-recurrent.ts` and `list-crf.ts`.
#pragma once

#define FOVEA_RECURRENT_KERNELS(K)                                     \
  K(rnn, RnnShape,                                                     \
    "x: read f32[steps batch inputSize]; "                             \
    "weightIh: read f32[hiddenSize inputSize] packs; "                 \
    "weightHh: read f32[hiddenSize hiddenSize] packs; "                \
    "biasIh?: read f32[hiddenSize]; "                                  \
    "biasHh?: read f32[hiddenSize]; "                                  \
    "h0?: read f32[batch hiddenSize]; "                                \
    "lengths?: read i32[batch] below steps except steps; "             \
    "y: update f32[steps batch yStride]; "                             \
    "hN?: write f32[batch hiddenSize] over h0")                        \
  K(gru, GruShape,                                                     \
    "x: read f32[steps batch inputSize]; "                             \
    "weightIh: read f32[3 hiddenSize inputSize] packs; "               \
    "weightHh: read f32[3 hiddenSize hiddenSize] packs; "              \
    "biasIh?: read f32[3 hiddenSize]; "                                \
    "biasHh?: read f32[3 hiddenSize]; "                                \
    "h0?: read f32[batch hiddenSize]; "                                \
    "lengths?: read i32[batch] below steps except steps; "             \
    "y: update f32[steps batch yStride]; "                             \
    "hN?: write f32[batch hiddenSize] over h0; "                       \
    "saved?: write f32[steps batch 4 hiddenSize]")                     \
  K(lstm, LstmShape,                                                   \
    "x: read f32[steps batch inputSize]; "                             \
    "weightIh: read f32[4 hiddenSize inputSize] packs; "               \
    "weightHh: read f32[4 hiddenSize stateSize] packs; "               \
    "biasIh?: read f32[4 hiddenSize]; "                                \
    "biasHh?: read f32[4 hiddenSize]; "                                \
    "weightHr?: read f32[projSize hiddenSize] packs unless projSize; " \
    "peepholes?: read f32[3 hiddenSize]; "                             \
    "h0?: read f32[batch stateSize]; "                                 \
    "c0?: read f32[batch hiddenSize]; "                                \
    "lengths?: read i32[batch] below steps except steps; "             \
    "y: update f32[steps batch yStride]; "                             \
    "hN?: write f32[batch stateSize] over h0; "                        \
    "cN?: write f32[batch hiddenSize] over c0; "                       \
    "saved?: write f32[steps batch 5 hiddenSize]")                     \
  K(rnnBackward, RnnBackwardShape,                                     \
    "x: read f32[steps batch inputSize]; "                             \
    "weightIh: read f32[hiddenSize inputSize]; "                       \
    "weightHh: read f32[hiddenSize hiddenSize]; "                      \
    "h0?: read f32[batch hiddenSize]; "                                \
    "lengths?: read i32[batch] below steps except steps; "             \
    "y: read f32[steps batch yStride]; "                               \
    "gradY?: read f32[steps batch yStride]; "                          \
    "gradHN?: read f32[batch hiddenSize]; "                            \
    "gradX?: update f32[steps batch inputSize]; "                      \
    "gradWeightIh: write f32[hiddenSize inputSize]; "                  \
    "gradWeightHh: write f32[hiddenSize hiddenSize]; "                 \
    "gradBias?: write f32[hiddenSize]; "                               \
    "gradH0?: write f32[batch hiddenSize]")                            \
  K(gruBackward, GruBackwardShape,                                     \
    "x: read f32[steps batch inputSize]; "                             \
    "weightIh: read f32[3 hiddenSize inputSize]; "                     \
    "weightHh: read f32[3 hiddenSize hiddenSize]; "                    \
    "h0?: read f32[batch hiddenSize]; "                                \
    "lengths?: read i32[batch] below steps except steps; "             \
    "y: read f32[steps batch yStride]; "                               \
    "saved: read f32[steps batch 4 hiddenSize]; "                      \
    "gradY?: read f32[steps batch yStride]; "                          \
    "gradHN?: read f32[batch hiddenSize]; "                            \
    "gradX?: update f32[steps batch inputSize]; "                      \
    "gradWeightIh: write f32[3 hiddenSize inputSize]; "                \
    "gradWeightHh: write f32[3 hiddenSize hiddenSize]; "               \
    "gradBiasIh?: write f32[3 hiddenSize]; "                           \
    "gradBiasHh?: write f32[3 hiddenSize]; "                           \
    "gradH0?: write f32[batch hiddenSize]")                            \
  K(lstmBackward, LstmBackwardShape,                                   \
    "x: read f32[steps batch inputSize]; "                             \
    "weightIh: read f32[4 hiddenSize inputSize]; "                     \
    "weightHh: read f32[4 hiddenSize stateSize]; "                     \
    "weightHr?: read f32[projSize hiddenSize] unless projSize; "       \
    "peepholes?: read f32[3 hiddenSize]; "                             \
    "h0?: read f32[batch stateSize]; "                                 \
    "c0?: read f32[batch hiddenSize]; "                                \
    "lengths?: read i32[batch] below steps except steps; "             \
    "y: read f32[steps batch yStride]; "                               \
    "saved: read f32[steps batch 5 hiddenSize]; "                      \
    "gradY?: read f32[steps batch yStride]; "                          \
    "gradHN?: read f32[batch stateSize]; "                             \
    "gradCN?: read f32[batch hiddenSize]; "                            \
    "gradX?: update f32[steps batch inputSize]; "                      \
    "gradWeightIh: write f32[4 hiddenSize inputSize]; "                \
    "gradWeightHh: write f32[4 hiddenSize stateSize]; "                \
    "gradWeightHr?: write f32[projSize hiddenSize] unless projSize; "  \
    "gradBias?: write f32[4 hiddenSize]; "                             \
    "gradPeepholes?: write f32[3 hiddenSize]; "                        \
    "gradH0?: write f32[batch stateSize]; "                            \
    "gradC0?: write f32[batch hiddenSize]")                            \
  K(crf, CrfShape,                                                     \
    "emissions: read f32[steps batch tags]; "                          \
    "transitions: read f32[tags tags]; "                               \
    "start?: read f32[tags]; "                                         \
    "end?: read f32[tags]; "                                           \
    "target?: read i32[steps batch] below tags; "                      \
    "lengths?: read i32[batch] below steps except steps; "             \
    "y: write f32[batch]; "                                            \
    "saved?: write f32[steps batch tags]")                             \
  K(crfBackward, CrfShape,                                             \
    "emissions: read f32[steps batch tags]; "                          \
    "transitions: read f32[tags tags]; "                               \
    "end?: read f32[tags]; "                                           \
    "target?: read i32[steps batch] below tags; "                      \
    "lengths?: read i32[batch] below steps except steps; "             \
    "saved: read f32[steps batch tags]; "                              \
    "gradY: read f32[batch]; "                                         \
    "gradEmissions: write f32[steps batch tags]; "                     \
    "gradTransitions: write f32[tags tags]; "                          \
    "gradStart?: write f32[tags]; "                                    \
    "gradEnd?: write f32[tags]")                                       \
  K(crfDecode, CrfShape,                                               \
    "emissions: read f32[steps batch tags]; "                          \
    "transitions: read f32[tags tags]; "                               \
    "start?: read f32[tags]; "                                         \
    "end?: read f32[tags]; "                                           \
    "lengths?: read i32[batch] below steps except steps; "             \
    "paths: write i32[steps batch]; "                                  \
    "scores: write f32[batch]")
