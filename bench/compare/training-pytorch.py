# PyTorch's side of the training benchmark, eager: the same networks, data and steps as training-fovea.ts. Prints one line of JSON.
import argparse
import json
import time

import torch
from torch import nn


class Recurrent(nn.Module):
    """Indices [steps, batch] -> scores [steps * batch, classes]."""

    def __init__(self, vocabulary, features, hidden, classes, **options):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, features)
        self.lstm = nn.LSTM(features, hidden, **options)
        self.width = hidden * (2 if options.get('bidirectional') else 1)
        self.output = nn.Linear(self.width, classes)

    def forward(self, x):
        states, _ = self.lstm(self.embedding(x))
        return self.output(states.reshape(-1, self.width))


def lenet5(batch):
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )
    images = torch.rand(4096, 1, 28, 28)
    labels = torch.randint(0, 10, (4096,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def sample(i):
        start = (i * batch) % (4096 - batch + 1)
        return images[start:start + batch], labels[start:start + batch]

    return model, optimizer, sample, batch


def sequences(model, steps, batch, vocabulary, classes):
    inputs = [torch.randint(0, vocabulary, (steps, batch)) for _ in range(32)]
    targets = [torch.randint(0, classes, (steps * batch,)) for _ in range(32)]
    return model, torch.optim.Adam(model.parameters()), lambda i: (inputs[i % 32], targets[i % 32])


def tagger(batch):
    model = Recurrent(10_000, 100, 128, 17, bidirectional=True)
    return *sequences(model, 25, batch, 10_000, 17), batch


def characters(batch):
    model = Recurrent(64, 64, 256, 64, num_layers=2)
    return *sequences(model, 64, batch, 64, 64), 64 * batch


def main():
    workloads = {'lenet5': (lenet5, 64), 'tagger': (tagger, 32), 'characters': (characters, 32)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--workload', choices=workloads, default='lenet5')
    parser.add_argument('--batch', type=int)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--seconds', type=float, default=4)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    make, usual = workloads[arguments.workload]
    model, optimizer, sample, per_step = make(arguments.batch or usual)
    loss_function = nn.CrossEntropyLoss()

    def step(i):
        x, targets = sample(i)
        optimizer.zero_grad()
        loss_function(model(x), targets).backward()
        optimizer.step()

    # Warm up for a quarter of the time, then the median of samples of a fiftieth of it, at least a step each.
    clock = time.perf_counter
    seconds = arguments.seconds
    done = 0
    warm = clock() + seconds / 4
    while clock() < warm:
        step(done)
        done += 1
    rates = []
    deadline = clock() + seconds
    while clock() < deadline:
        begin = clock()
        steps = 0
        while steps == 0 or clock() - begin < seconds / 50:
            step(done)
            done += 1
            steps += 1
        rates.append(steps * per_step / (clock() - begin))
    rates.sort()
    print(json.dumps({'name': f'PyTorch {torch.__version__} eager', 'rate': rates[len(rates) // 2]}))


main()
