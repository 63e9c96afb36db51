# PyTorch, eager, on plain contiguous tensors: the function its user would call, into outputs made before where it can.
import os

import torch
import torch.nn.functional as F
from torch import nn
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


def pair(c, name):
    return [c[f'{name}Height'], c[f'{name}Width']]


def conv_windows(c):
    return pair(c, 'stride'), [c['padTop'], c['padLeft']], pair(c, 'dilation')


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


def pool_operands(c):
    planes = [c['planes'] // c['channels'], c['channels']]
    x = rand(*planes, c['height'], c['width'])
    y = rand(*planes, c['outHeight'], c['outWidth'])
    return x, y, [pair(c, 'kernel'), pair(c, 'stride'), [c['padTop'], c['padLeft']]]


def both_layouts(x, run):
    """On x as it is; bare is on x with its channels last, where this library's own loops are faster."""
    last = x.contiguous(memory_format=torch.channels_last)
    return {'run': lambda: run(x), 'bare': lambda: run(last)}


def max_pool(c):
    x, _, windows = pool_operands(c)
    return both_layouts(x, lambda x: F.max_pool2d(x, *windows, return_indices=c.get('with') == 'indices'))


def max_pool_backward(c):
    x, y, windows = pool_operands(c)
    _, indices = F.max_pool2d(x, *windows, return_indices=True)
    out = torch.empty_like(x)
    return lambda: torch.ops.aten.max_pool2d_with_indices_backward.grad_input(
        y, x, *windows, [1, 1], False, indices, grad_input=out)


def avg_pool(c):
    x, _, windows = pool_operands(c)
    return both_layouts(x, lambda x: F.avg_pool2d(x, *windows))


def avg_pool_backward(c):
    x, y, windows = pool_operands(c)
    out = torch.empty_like(x)
    return lambda: aten.avg_pool2d_backward.grad_input(y, x, *windows, False, True, None, grad_input=out)


def binary(function):
    def prepare(c):
        a, b, y = rand(c['count']), rand(c['count']), torch.empty(c['count'])
        return lambda: function(a, b, out=y)

    return prepare


def unary(function):
    def prepare(c):
        x, y = rand(c['count']), torch.empty(c['count'])
        return lambda: function(x, out=y)

    return prepare


def gradient(function):
    """Of what the forward pass saved and the gradient of its output."""
    def prepare(c):
        saved, grad, out = rand(c['count']), rand(c['count']), torch.empty(c['count'])
        return lambda: function(saved, grad, out)

    return prepare


def optimizer(make):
    def prepare(c):
        parameter = nn.Parameter(rand(c['count']))
        parameter.grad = rand(c['count'])
        chosen = make([parameter], c.get('with') == 'velocity')
        return chosen.step

    return prepare


def sgd(parameters, velocity):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9 if velocity else 0, foreach=True)


def adam(parameters, _):
    return torch.optim.Adam(parameters, lr=0.001, foreach=True)


def reduction(function):
    def prepare(c):
        x = rand(c['outer'], c['count'], c['inner'])
        return lambda: function(x, 1)

    return prepare


def softmax(function):
    def prepare(c):
        x = rand(c['outer'], c['count'])
        y = torch.empty_like(x)
        return lambda: function(x, 1, out=y)

    return prepare


def softmax_backward(c):
    y, grad = torch.softmax(rand(c['outer'], c['count']), 1), rand(c['outer'], c['count'])
    out = torch.empty_like(y)
    return lambda: aten._softmax_backward_data.out(grad, y, 1, torch.float32, grad_input=out)


def batch_operands(c):
    x = rand(c['batch'], c['channels'], c['inner'])
    weight, bias, mean = (rand(c['channels']) for _ in range(3))
    return x, weight, bias, mean, torch.ones(c['channels'])


def batch_norm(training):
    def prepare(c):
        x, weight, bias, mean, variance = batch_operands(c)
        return lambda: F.batch_norm(x, mean, variance, weight, bias, training, 0.1, 1e-5)

    return prepare


def batch_norm_backward(c):
    x, weight, _, mean, variance = batch_operands(c)
    grad = rand(*x.shape)
    return lambda: aten.native_batch_norm_backward(
        grad, x, weight, mean, variance, mean, variance, True, 1e-5, [True, True, True])


def layer_norm(c):
    x, weight, bias = rand(c['rows'], c['columns']), rand(c['columns']), rand(c['columns'])
    return lambda: F.layer_norm(x, [c['columns']], weight, bias, 1e-5)


def layer_norm_backward(c):
    x, weight, bias = rand(c['rows'], c['columns']), rand(c['columns']), rand(c['columns'])
    grad, mean, rstd = rand(*x.shape), rand(c['rows'], 1), torch.ones(c['rows'], 1)
    return lambda: aten.native_layer_norm_backward(
        grad, x, [c['columns']], mean, rstd, weight, bias, [True, True, True])


def gather(c):
    table, out = rand(c['axisLength'], c['inner']), torch.empty(c['count'], c['inner'])
    indices = torch.randint(0, c['axisLength'], (c['count'],))
    return lambda: torch.index_select(table, 0, indices, out=out)


def gather_backward(c):
    table, grad = rand(c['axisLength'], c['inner']), rand(c['count'], c['inner'])
    indices = torch.randint(0, c['axisLength'], (c['count'],))
    return lambda: table.index_add_(0, indices, grad)


def copy(c):
    sizes = [c[f'd{i}'] for i in range(8)]
    x = torch.as_strided(rand(c['xLength']), sizes, [c[f'x{i}'] for i in range(8)])
    y = torch.as_strided(rand(c['yLength']), sizes, [c[f'y{i}'] for i in range(8)])
    return lambda: y.copy_(x)


def recurrent(c):
    classes = {'lstm': nn.LSTM, 'gru': nn.GRU, 'rnn': nn.RNN}
    if c['cell'] not in classes:
        raise Skip('its GRU applies the reset gate after the product')
    layer = classes[c['cell']](c['inputs'], c['hidden'], c['layers'], bidirectional=c['directions'] == 2)
    x = rand(c['steps'], c['batch'], c['inputs'])
    if not c['training']:
        layer.eval()
        return lambda: layer(x)
    x.requires_grad_()
    grad = rand(c['steps'], c['batch'], c['hidden'] * c['directions'])

    def step():
        with torch.enable_grad():
            y, _ = layer(x)
            y.backward(grad)

    return step


operations = {
    'matmul': matmul,
    'conv2d': conv2d,
    'conv2dBackwardInput': conv_backward([True, False, False]),
    'conv2dBackwardWeight': conv_backward([False, True, True]),
    'recurrent': recurrent,
    'maxPool2d': max_pool,
    'maxPool2dBackward': max_pool_backward,
    'avgPool2d': avg_pool,
    'avgPool2dBackward': avg_pool_backward,
    'add': binary(torch.add),
    'mul': binary(torch.mul),
    'relu': unary(lambda x, out: torch.clamp_min(x, 0, out=out)),
    'exp': unary(torch.exp),
    'tanh': unary(torch.tanh),
    'sigmoid': unary(torch.sigmoid),
    'gelu': unary(lambda x, out: aten.gelu.out(x, out=out)),
    'reluBackward': gradient(lambda y, g, out: aten.threshold_backward.grad_input(g, y, 0, grad_input=out)),
    'tanhBackward': gradient(lambda y, g, out: aten.tanh_backward.grad_input(g, y, grad_input=out)),
    'sigmoidBackward': gradient(lambda y, g, out: aten.sigmoid_backward.grad_input(g, y, grad_input=out)),
    'geluBackward': gradient(lambda x, g, out: aten.gelu_backward.grad_input(g, x, grad_input=out)),
    'sgd': optimizer(sgd),
    'adam': optimizer(adam),
    'sum': reduction(torch.sum),
    'mean': reduction(torch.mean),
    'max': reduction(torch.amax),
    'argmax': reduction(torch.argmax),
    'softmax': softmax(lambda x, d, out: aten._softmax.out(x, d, False, out=out)),
    'logSoftmax': softmax(lambda x, d, out: aten._log_softmax.out(x, d, False, out=out)),
    'softmaxBackward': softmax_backward,
    'batchNorm': batch_norm(True),
    'batchNormInference': batch_norm(False),
    'batchNormBackward': batch_norm_backward,
    'layerNorm': layer_norm,
    'layerNormBackward': layer_norm_backward,
    'gather': gather,
    'gatherBackward': gather_backward,
    'copy': copy,
}


def prepare(call):
    operation = operations.get(call['op'])
    if operation is None:
        raise Skip('has none')
    way = operation(call)
    return way if isinstance(way, dict) else {'run': way}


torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', '1')))
torch.set_grad_enabled(False)
serve('PyTorch', torch.__version__, prepare)
