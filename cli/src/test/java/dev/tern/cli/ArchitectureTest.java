package dev.tern.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The module table of the architecture, and what only `runtime` may touch.
class ArchitectureTest {
  /// In order: a module may use those before it.
  private static final List<String> MODULES =
      List.of(
          "env",
          "testing",
          "world",
          "lsm",
          "raft",
          "core",
          "runtime",
          "client",
          "gateway",
          "server",
          "bench",
          "simulation",
          "cli");

  private static final String[] DETERMINISTIC = {
    "dev.tern.env..",
    "dev.tern.world..",
    "dev.tern.lsm..",
    "dev.tern.raft..",
    "dev.tern.core..",
    "dev.tern.simulation.."
  };

  /// The order of what these give out differs from one run of the JVM to the next, or follows hash
  /// codes. Collectors that are told which collection to make are seen too: nobody needs them.
  private static final DescribedPredicate<JavaAccess<?>> MAKES_ACCIDENTAL_ORDER =
      DescribedPredicate.describe(
          "makes a collection whose order is accidental",
          access -> {
            String owner = access.getTargetOwner().getName();
            String method = access.getTarget().getName();
            return switch (owner) {
              case "java.util.Map", "java.util.Set" ->
                  Set.of("of", "ofEntries", "copyOf").contains(method);
              case "java.util.stream.Collectors" ->
                  method.matches("to(Unmodifiable|Concurrent)?(Set|Map)|groupingBy(Concurrent)?");
              default -> false;
            };
          });

  private static JavaClasses tern;

  @BeforeAll
  static void read() {
    tern =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.tern");
  }

  @Test
  void everyModuleIsSeen() {
    for (String module : MODULES) {
      assertTrue(
          tern.stream().anyMatch(c -> c.getPackageName().startsWith("dev.tern." + module)),
          module + " has no classes on the class path");
    }
  }

  @Test
  void modulesUseOnlyThoseAboveThem() {
    for (int i = 0; i < MODULES.size(); i++) {
      for (int later = i + 1; later < MODULES.size(); later++) {
        noClasses()
            .that()
            .resideInAPackage("dev.tern." + MODULES.get(i) + "..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.tern." + MODULES.get(later) + "..")
            .check(tern);
      }
    }
    noClasses()
        .that()
        .resideInAPackage("dev.tern.simulation..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.tern.runtime..", "dev.tern.server..", "dev.tern.bench..")
        .check(tern);
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.tern.world..", "dev.tern.simulation..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.tern.world..")
        .check(tern);
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.tern.testing..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.tern.testing..")
        .check(tern);
  }

  /// Whoever wants Raft alone takes it with the interfaces of its environment, and nothing else.
  @Test
  void raftStandsOnEnvAlone() {
    noClasses()
        .that()
        .resideInAPackage("dev.tern.raft..")
        .should()
        .dependOnClassesThat()
        .resideOutsideOfPackages("dev.tern.raft..", "dev.tern.env..", "java..", "org.jspecify..")
        .check(tern);
  }

  /// A state machine without dots keeps its records in it.
  @Test
  void theRecordStoreKnowsNoDots() {
    noClasses()
        .that()
        .resideInAPackage("dev.tern.core.store")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.tern.core.version", "dev.tern.core.wire", "dev.tern.core.replica")
        .check(tern);
  }

  @Test
  void theClientStandsAlone() {
    noClasses()
        .that()
        .resideInAPackage("dev.tern.client..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.tern.env..",
            "dev.tern.lsm..",
            "dev.tern.raft..",
            "dev.tern.core..",
            "dev.tern.runtime..")
        .check(tern);
    noClasses()
        .that()
        .resideInAnyPackage("dev.tern.gateway..", "dev.tern.server..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.tern.client..")
        .check(tern);
  }

  /// Every package is a slice of its own, those that have packages below them too.
  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.tern.(**)").should().beFreeOfCycles().check(tern);
  }

  @Test
  void deterministicModulesReachTheWorldThroughEnvOnly() {
    noClasses()
        .that()
        .resideInAnyPackage(DETERMINISTIC)
        .should()
        .dependOnClassesThat()
        .haveNameMatching(
            "java\\.lang\\.(Thread|Process|ProcessBuilder|Runtime)|java\\.util\\.Random"
                + "|java\\.util\\.(Timer|UUID|SplittableRandom)|java\\.security\\.SecureRandom"
                + "|java\\.util\\.concurrent\\.(Executor.*|ThreadLocalRandom|.*Pool|Completable.*)"
                + "|java\\.io\\.(File|FileInputStream|FileOutputStream|RandomAccessFile)"
                + "|java\\.nio\\.(channels|file)\\..*|java\\.net\\..*|java\\.time\\..*")
        .check(tern);
    noClasses()
        .that()
        .resideInAnyPackage(DETERMINISTIC)
        .should()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(Math.class, "random")
        .check(tern);
  }

  @Test
  void coreUsesNoCollectionWhoseOrderIsAccidental() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.tern.raft..", "dev.tern.core..", "dev.tern.simulation..")
        .should()
        .dependOnClassesThat()
        .haveNameMatching("java\\.util\\.(HashMap|HashSet|IdentityHashMap|WeakHashMap)")
        .check(tern);
    noClasses()
        .that()
        .resideInAnyPackage("dev.tern.raft..", "dev.tern.core..", "dev.tern.simulation..")
        .should()
        .accessTargetWhere(MAKES_ACCIDENTAL_ORDER)
        .check(tern);
  }

  /// A rule that sees one form of a call alone lets the others by.
  @Test
  void eachWayToAnAccidentalOrderIsSeen() {
    Set<String> seen =
        new ClassFileImporter()
            .importClass(Accidental.class).getAccessesFromSelf().stream()
                .filter(MAKES_ACCIDENTAL_ORDER)
                .map(access -> access.getOrigin().getName())
                .collect(Collectors.toSet());
    Set<String> all =
        Stream.of(Accidental.class.getDeclaredMethods())
            .filter(method -> !method.isSynthetic())
            .map(Method::getName)
            .collect(Collectors.toSet());
    assertEquals(all, seen);
  }

  /// A way in each method; only their bytes are read.
  @SuppressWarnings("UnusedMethod")
  private static final class Accidental {
    Object empty() {
      return Map.of();
    }

    Object pairs() {
      return Map.of("a", 1, "b", 2);
    }

    Object entries() {
      return Map.ofEntries(Map.entry("a", 1), Map.entry("b", 2));
    }

    Object mapCopy(Map<String, Integer> of) {
      return Map.copyOf(of);
    }

    Object two() {
      return Set.of("a", "b");
    }

    Object array(String[] of) {
      return Set.of(of);
    }

    Object copies(Stream<Set<String>> of) {
      return of.map(Set::copyOf);
    }

    Object collected(Stream<String> of) {
      return of.collect(Collectors.toSet());
    }

    Object grouped(Stream<String> of) {
      return of.collect(Collectors.groupingBy(String::length));
    }
  }

  @Test
  void namesSayWhatThingsAre() {
    classes()
        .should()
        .haveNameNotMatching(".*\\.(Abstract|Base)[A-Z].*|.*(Util|Utils|Manager|Helper|Impl|Base)")
        .check(tern);
  }
}
