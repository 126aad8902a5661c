import { conv2d } from "../src/nn/conv.ts";
import { globalPool } from "../src/nn/global-pool.ts";
import { linear } from "../src/nn/linear.ts";
import { batchNorm } from "../src/nn/norm.ts";
import { act, type Layer, residual, sequential } from "../src/nn/sequential.ts";

// The paper's whole model in 280 characters, as its authors wrote it for PyTorch (figure 3).
// biome-ignore format: whitespace counts
export const ConvMixer=([h,d,k,p,n]:number[],S=sequential,C=conv2d,A=(c:Layer)=>S(c,act("gelu"),batchNorm(h)))=>S(
A(C(3,h,p,{stride:p,padding:0})),...Array(d).fill(S(residual(A(C(h,h,k,{groups:h}))),A(C(h,h,1)))),globalPool(),linear(h,n))
