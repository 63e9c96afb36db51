# Finds the polynomials of kernels/math-wide.h: minimax in relative error, by Remez's exchange
# (E. Ya. Remez, 1934) in 40 digits. Needs mpmath. Usage: python3 native/tools/minimax.py
from mpmath import mp, mpf, cos, erfc, exp, log, lu_solve, matrix, pi, sqrt

mp.dps = 40


def remez(f, low, high, degree):
    """Coefficients c of the polynomial in x with the least max |p(x) / f(x) - 1|, and that error."""
    count = degree + 2
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / (count - 1)) for i in range(count)]
    grid = [low + (high - low) * (1 - cos(pi * i / 2000)) / 2 for i in range(2001)]
    values = [f(x) for x in grid]
    for _ in range(12):
        rows = [[x**k / f(x) for k in range(degree + 1)] + [(-1) ** i] for i, x in enumerate(points)]
        solution = lu_solve(matrix(rows), matrix([1] * count))
        c = [solution[k] for k in range(degree + 1)]
        errors = [mp.polyval(c[::-1], x) / v - 1 for x, v in zip(grid, values)]
        # The largest error of each run of one sign is a point of the next round.
        runs = []
        for i, e in enumerate(errors):
            if runs and (errors[runs[-1]] > 0) == (e > 0):
                if abs(e) > abs(errors[runs[-1]]):
                    runs[-1] = i
            else:
                runs.append(i)
        if len(runs) < count:
            break
        while len(runs) > count:
            runs.pop(0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1)
        points = [grid[i] for i in runs]
    return c, max(abs(e) for e in errors)


def show(name, f, low, high, degree):
    c, error = remez(f, mpf(low), mpf(high), degree)
    print(f"{name}: relative error 2^{mp.nstr(log(error, 2), 4)}")
    print("  " + ", ".join(mp.nstr(v, 17) for v in c))


# Q(a) exp(a²/2) (a + 5/2) for the tail Q of the normal distribution, in w = 1 / (a + 5/2) - 7/32.
lowest, highest = 2 / mpf(35), 2 / mpf(5)  # a = 15 and 0
middle = mpf(7) / 32


def tail(w):
    a = 1 / (w + middle) - mpf(5) / 2
    return erfc(a / sqrt(mpf(2))) * exp(a * a / 2) / 2 * (a + mpf(5) / 2)


# ln((1 + s) / (1 - s)) / (2 s), in s².
def logarithm(square):
    s = sqrt(square)
    return log((1 + s) / (1 - s)) / (2 * s) if s != 0 else mpf(1)


if __name__ == "__main__":
    show("tail of the normal distribution", tail, lowest - middle, highest - middle, 9)
    largest = (sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1)
    show("logarithm", logarithm, 0, largest**2, 4)
