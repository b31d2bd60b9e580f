package dev.tern.bench.engine;

/// What a lane does again and again; each run is one operation in the figures. One thread.
@FunctionalInterface
interface Operation {
  /// @return false if nothing was left to do
  /// @throws IllegalStateException if the engine gave a wrong answer
  boolean run() throws Exception;
}
