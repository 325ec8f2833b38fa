"""Gradient descent."""

from dnn import losses, optimizers, plots
from dnn.plots.local_minima import hill
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "Gradient descent",
    "The gradient points uphill; each step goes the other way: new w = old w − learning rate · "
    "∂loss/∂w. How far to go at a time is the learning rate, and where the way ends depends on "
    "where it began.",
)


@chapter.example(
    "The learning rate",
    "One neuron, y = w x + b, learns a line; two parameters, so the loss is a surface that can be "
    "drawn. After 60 steps at rate 0.01 the loss is still {small:.2g}; at 0.2 it is {right:.1e}; "
    "at 0.47 every step jumps across the valley and lands higher than it began, at {large:.1e}.",
    valley="Left, the loss over the two parameters, dark where it is high, and the three paths "
    "from the same start; right, the loss by step. The path that is too long leaves the picture.",
)
def learning_rate():
    valley = plots.descent_paths([0.01, 0.2, 0.47], steps=60, title="Three learning rates")
    by_step = {line.get_label(): line.get_ydata() for line in valley.axes[1].lines}
    small, right, large = (loss[-1] for loss in by_step.values())
    return {"valley": valley, "small": small, "right": right, "large": large}


@chapter.example(
    "Local minima",
    "The surface need not be a bowl. One sigmoid neuron is to follow a hill, but can only rise or "
    "fall: it follows one side and errs beyond the other. Two valleys, then, and the left one is "
    "higher. From the right, descent ends at the loss {best:.3f}; from the left at {stuck:.3f}, "
    "where the gradient is zero and nothing tells of the better valley. Momentum, from the same "
    "start, runs over the ridge and ends at {freed:.3f}. That is luck as much as merit: it can "
    "carry out of the better valley too.",
    surface="The stars are the starts. Blue ends in the global minimum, orange in the local one, "
    "green passes through the local one.",
    ends="What the neuron has become in each: it rises with the left side of the hill, or falls "
    "with the right one.",
)
def local_minima():
    left, right = (-3.5, 1.0), (3.0, 1.0)  # w and b
    momentum = optimizers.SGD(6.0, momentum=0.9)
    surface = plots.local_minima([(6.0, right), (6.0, left), (momentum, left)], *hill())
    best, stuck, freed = (line.get_ydata()[-1] for line in surface.axes[1].lines)

    neurons = {}
    for name, (w, b) in {"from the right": right, "from the left": left}.items():
        neuron, x, y = hill()
        neuron.build()
        neuron.set_weights([[[w]], [b]])
        neuron.compile(optimizers.SGD(6.0), losses.MeanSquaredError())
        neuron.fit(x, y, batch_size=len(x), epochs=200, verbose=0)
        neurons[name] = neuron
    ends = plots.fitted_curve(neurons, x, y, title="The neuron in the two minima")
    return {"surface": surface, "ends": ends, "best": best, "stuck": stuck, "freed": freed}
