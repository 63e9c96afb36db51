// Clipping gradients by their common length and by value.
import { describe, expect, it } from 'vitest';
import { clipGradNorm_, clipGradValue_ } from '../../lib/optim/index.ts';
import { type Tensor, tensor, zeros } from '../../lib/tensor/index.ts';
import { expectKept, fill, type Kept, load } from '../nn/fixtures/kept.ts';

const withGrad = (grad: Tensor) => {
  const param = zeros(grad.shape, { requiresGrad: true });
  param.grad = grad;
  return param;
};

describe('clipGradNorm_', () => {
  it('scales as PyTorch does and returns the length before', () => {
    const kept = load<{ norm: number; gradients: Kept[] }>('clipping');
    const params = [withGrad(fill([4], 1, 10)), withGrad(fill([2, 3], 2, 10))];
    expect(clipGradNorm_(params, 2.5)).toBeCloseTo(kept.norm, 5);
    for (const [i, param] of params.entries()) expectKept(`gradient ${i}`, param.grad, kept.gradients[i]!);
  });

  it('leaves shorter gradients and parameters without one as they are', () => {
    const params = [withGrad(tensor([3, 4])), zeros([2], { requiresGrad: true })];
    expect(clipGradNorm_(params, 5.1)).toBe(5);
    expect(params[0]!.grad!.toArray()).toEqual([3, 4]);
    expect(params[1]!.grad).toBe(null);
  });

  it('returns NaN, or throws if asked to, for a gradient that is not finite', () => {
    expect(clipGradNorm_([withGrad(tensor([NaN]))], 1)).toBeNaN();
    expect(() => clipGradNorm_([withGrad(tensor([Infinity]))], 1, { errorIfNonfinite: true })).toThrow(
      'clipGradNorm_: expected gradients of finite length, but got length Infinity',
    );
  });

  it('refuses a negative or NaN length', () => {
    expect(() => clipGradNorm_([], -1)).toThrow('clipGradNorm_: expected maxNorm to be at least 0, but got -1');
    expect(() => clipGradNorm_([], NaN)).toThrow('NaN');
  });
});

describe('clipGradValue_', () => {
  it('clamps every element and raises the version', () => {
    const param = withGrad(tensor([-3, -0.5, 0, 2]));
    const { version } = param.grad!;
    clipGradValue_([param, zeros([1])], 1);
    expect(param.grad!.toArray()).toEqual([-1, -0.5, 0, 1]);
    expect(param.grad!.version).toBeGreaterThan(version);
  });

  it('refuses a negative value', () => {
    expect(() => clipGradValue_([], -1)).toThrow('clipGradValue_: expected value to be at least 0, but got -1');
  });
});
