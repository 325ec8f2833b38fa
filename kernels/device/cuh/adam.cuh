// Adam's step for one parameter: the maths of the op adam, for every kernel that has a gradient.
//
// fmaf is written out, so that the compiler fuses alike wherever this is inlined: the same bits.
#pragma once

struct Adam {
  float beta1, one_minus_beta1, beta2, one_minus_beta2, eps, rate, correction2, decay;

  // t: the step, 1 for the first. log_beta: ln beta, from the host in double.
  __device__ Adam(float t, float lr, float beta1, float one_minus_beta1, float log_beta1,
                  float beta2, float one_minus_beta2, float log_beta2, float eps,
                  float weight_decay)
      : beta1(beta1), one_minus_beta1(one_minus_beta1), beta2(beta2),
        one_minus_beta2(one_minus_beta2), eps(eps), rate(lr / -expm1f(t * log_beta1)),
        correction2(-expm1f(t * log_beta2)), decay(lr * weight_decay) {}

  __device__ void operator()(float& p, float g, float& m, float& v) const {
    m = fmaf(beta1, m, one_minus_beta1 * g);
    v = fmaf(beta2, v, one_minus_beta2 * g * g);
    const float change = rate * m / (sqrtf(v / correction2) + eps);
    p -= decay != 0.0f ? fmaf(decay, p, change) : change;
  }
};
