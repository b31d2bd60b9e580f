package dev.tern.simulation;

/// How much a test does: what CI has time for, or `-Dproof=N` times that.
final class Rounds {
  private Rounds() {}

  static int of(int inContinuousIntegration) {
    return inContinuousIntegration * Integer.getInteger("proof", 1);
  }
}
