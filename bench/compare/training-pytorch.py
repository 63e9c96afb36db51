# PyTorch's side of the training benchmark: LeNet-5, SGD with momentum, batch 64, eager. Prints one line of JSON.
import argparse
import json
import time

import torch
from torch import nn


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--seconds', type=float, default=4)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    model = lenet5()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    loss_function = nn.CrossEntropyLoss()
    images = torch.rand(4096, 1, 28, 28)
    labels = torch.randint(0, 10, (4096,))

    def step(i):
        start = (i * arguments.batch) % (4096 - arguments.batch + 1)
        optimizer.zero_grad()
        loss = loss_function(model(images[start:start + arguments.batch]), labels[start:start + arguments.batch])
        loss.backward()
        optimizer.step()

    for i in range(30):
        step(i)
    rates = []
    deadline = time.perf_counter() + arguments.seconds
    i = 0
    while time.perf_counter() < deadline:
        begin = time.perf_counter()
        for _ in range(10):
            step(i)
            i += 1
        rates.append(10 * arguments.batch / (time.perf_counter() - begin))
    rates.sort()
    print(json.dumps({'name': f'PyTorch {torch.__version__} eager', 'imagesPerSecond': rates[len(rates) // 2]}))


main()
