package dev.tern.simulation;

/// Prints the hash of a seed's events: what [DeterminismTest] runs in another JVM.
final class HashOfSeed {
  private HashOfSeed() {}

  public static void main(String[] arguments) {
    System.out.println(Simulation.run(Long.parseLong(arguments[0]), "NONE").hash());
  }
}
