# PyTorch, eager, on plain contiguous tensors: the function its user would call, into outputs made before where it can.
import os

import torch
import torch.nn.functional as F
from trial import Skip, serve

aten = torch.ops.aten


def rand(*shape):
    return torch.rand(*shape) - 0.5


def matmul(c):
    a = rand(c['k'], c['m']).t() if c['transposeA'] else rand(c['m'], c['k'])
    b = rand(c['n'], c['k']).t() if c['transposeB'] else rand(c['k'], c['n'])
    y = torch.empty(c['m'], c['n'])
    return lambda: torch.mm(a, b, out=y)


def conv_operands(c):
    x = rand(c['batch'], c['inChannels'], c['height'], c['width'])
    weight = rand(c['outChannels'], c['groupChannels'], c['kernelHeight'], c['kernelWidth'])
    y = rand(c['batch'], c['outChannels'], c['outHeight'], c['outWidth'])
    return x, weight, y


def conv_windows(c):
    return [c['strideHeight'], c['strideWidth']], [c['padTop'], c['padLeft']], [c['dilationHeight'], c['dilationWidth']]


def conv2d(c):
    x, weight, _ = conv_operands(c)
    bias = rand(c['outChannels'])
    stride, padding, dilation = conv_windows(c)
    return lambda: F.conv2d(x, weight, bias, stride, padding, dilation, c['groups'])


def conv_backward(mask):
    def prepare(c):
        x, weight, y = conv_operands(c)
        stride, padding, dilation = conv_windows(c)
        return lambda: aten.convolution_backward(
            y, x, weight, [c['outChannels']], stride, padding, dilation, False, [0, 0], c['groups'], mask)

    return prepare


operations = {
    'matmul': matmul,
    'conv2d': conv2d,
    'conv2dBackwardInput': conv_backward([True, False, False]),
    'conv2dBackwardWeight': conv_backward([False, True, True]),
}


def prepare(call):
    operation = operations.get(call['op'])
    if operation is None:
        raise Skip('has none')
    ways = operation(call)
    return ways if isinstance(ways, list) else [{'run': ways}]


torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', '1')))
torch.set_grad_enabled(False)
serve('PyTorch', torch.__version__, prepare)
