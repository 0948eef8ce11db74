package dev.sluice.attack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Attacks on the packaged program, beside a bystander: {@code ./mvnw verify -Pattack}; the figures are in
 * {@code target/attack.md}. Each attack verifies its own guarantee. The bystander's decisions stay exact and on Redis, and the
 * 99th percentile of its latency stays under three times that of a quiet target. Noise of the machine does not last: an attack is
 * repeated, up to twice, if the latency does not hold, and fails if it never does. {@code -Dsluice.attack.latency=false} does not
 * compare latencies.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SluiceAttack {

    static final int ROUNDS = 3;
    private static final int MAX_RATIO = 3;
    private static final int REQUESTS = 400;
    private static final boolean LATENCY = Boolean.parseBoolean(System.getProperty("sluice.attack.latency", "true"));
    private static final Path REPORT = Path.of("target", "attack.md");

    private final List<String> rows = new ArrayList<>();
    private Target target;
    private Bystander bystander;

    @BeforeAll
    void start() throws IOException {
        target = new Target();
        bystander = new Bystander(target.instances());
        for (int i = 0; i < 5; i++) {
            bystander.run(REQUESTS, () -> true); // the compiler's work is not the attacker's
        }
    }

    @AfterAll
    void report() throws IOException {
        target.close();
        Files.createDirectories(REPORT.getParent());
        var report = "# Attacks\n\n| attack | bystander's p99 quiet, ms | under attack, ms | ratio | result |\n|---|---|---|---|---|\n"
                + String.join("", rows);
        Files.writeString(REPORT, report);
        System.out.println(report);
    }

    static List<NamedAttack> attacks() {
        return NamedAttack.ALL;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("attacks")
    void costsTheAttackerOnly(NamedAttack attack) throws Exception {
        double ratio = Double.MAX_VALUE;
        for (int round = 0; round < (LATENCY ? ROUNDS : 1) && ratio >= MAX_RATIO; round++) {
            var quiet = bystander.run(REQUESTS, () -> true);
            var ended = new AtomicBoolean();
            var beside = CompletableFuture.supplyAsync(() -> {
                try {
                    return bystander.run(REQUESTS, ended::get);
                } catch (IOException e) {
                    throw new IllegalStateException("the bystander was disconnected", e);
                }
            });
            String figures;
            try {
                figures = attack.attack().run(target);
            } finally {
                ended.set(true);
            }
            var attacked = beside.join();
            ratio = (double) attacked.p99() / quiet.p99();
            rows.add(String.format(Locale.ROOT, "| %s | %.1f | %.1f | %.2f | %s |%n", attack, quiet.p99() / 1e6,
                    attacked.p99() / 1e6, ratio, figures));
            assertThat(attacked.defects()).as("decisions of the bystander").isEmpty();
        }
        if (LATENCY) {
            assertThat(ratio).as("the bystander's p99, as a multiple of its quiet one").isLessThan(MAX_RATIO);
        }
    }

    @Test
    void floodOfIdentifiersFreesNoCallerWithoutRedis() throws Exception {
        rows.add("| a flood of identifiers without Redis | | | | " + FloodWithoutRedis.run() + " |\n");
    }
}
