def mean(numbers):
    total = 0
    for number in numbers:
        total += number
    return total / len(numbers)


def test_mean_of_three():
    assert mean([1, 2, 6]) == 3
