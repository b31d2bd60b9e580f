package dev.tern.world;

/// How much a test does: what CI has time for, or `-Dproof=N` times that.
public final class Rounds {
  private Rounds() {}

  public static int of(int inContinuousIntegration) {
    return inContinuousIntegration * Integer.getInteger("proof", 1);
  }
}
