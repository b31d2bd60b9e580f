package dev.tern.raft;

import dev.tern.testing.Transcripts;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What happens in the scenes of `raft/src/test/resources/raft`, see [Transcripts].
class RaftTranscriptTest {
  private static final Transcripts TRANSCRIPTS =
      new Transcripts("raft", () -> new Playground()::run);

  static Stream<String> scenes() throws IOException {
    return TRANSCRIPTS.scenes();
  }

  @ParameterizedTest
  @MethodSource("scenes")
  void goesAsWritten(String scene) throws IOException {
    TRANSCRIPTS.goesAsWritten(scene);
  }

  @ParameterizedTest
  @MethodSource("scenes")
  void playsAlikeTwice(String scene) throws IOException {
    TRANSCRIPTS.playsAlikeTwice(scene);
  }
}
