# A trial: one process that is asked for one row after the other, and answers each with the time it took (see trial.ts).
import json
import math
import sys
import time


class Skip(Exception):
    """This side has no such call; the message says why."""


def parse(line):
    call = {}
    for word in line.split():
        name, _, value = word.partition('=')
        try:
            call[name] = int(value)
        except ValueError:
            try:
                call[name] = float(value)
            except ValueError:
                call[name] = value
    return call


def per_call(run, count):
    begin = time.perf_counter()
    for _ in range(count):
        run()
    return 1000 * (time.perf_counter() - begin) / count


def measure(run, seconds):
    """Milliseconds per call: as `time` of trial.ts."""
    count, estimate = 1, None
    begin = time.perf_counter()
    while estimate is None or time.perf_counter() - begin < seconds / 5:
        estimate = per_call(run, count)
        count = max(1, math.ceil(1 / max(estimate, 1e-6)))
    samples = []
    begin = time.perf_counter()
    while not samples or time.perf_counter() - begin < 0.8 * seconds:
        samples.append(per_call(run, count))
    samples.sort()
    half = len(samples) // 2
    return samples[half] if len(samples) % 2 else (samples[half - 1] + samples[half]) / 2


def answer(prepare, line):
    try:
        call = parse(line)
        way = prepare(call)
        result = {'ms': measure(way['run'], call['seconds'])}
        if 'how' in way:
            result['how'] = way['how']
        if 'bare' in way:
            result['bareMs'] = measure(way['bare'], call['seconds'] / 2)
        return result
    except Skip as skip:
        return {'skip': str(skip)}
    except Exception as error:  # the driver shows it
        return {'error': f'{type(error).__name__}: {error}'}


def serve(name, version, prepare):
    """Answers the lines of the standard input until it ends."""
    print(json.dumps({'name': name, 'version': version}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(prepare, line)), flush=True)
