package dev.sluice.testing.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

import org.awaitility.Awaitility;

/**
 * A control group whose processes get a limited share of CPU time in each period of 100 ms, as a container with a CPU limit
 * does. Needs a writable hierarchy of version 1 or 2.
 */
public final class CpuQuota implements AutoCloseable {

    private static final int PERIOD_MICROS = 100_000;
    private static final Path VERSION_1 = Path.of("/sys/fs/cgroup/cpu");
    private static final Path VERSION_2 = Path.of("/sys/fs/cgroup");

    private final Path group;

    private CpuQuota(Path group) {
        this.group = group;
    }

    /**
     * Creates a control group.
     *
     * @param cpus share of CPU time, 1 for one CPU
     * @return empty where control groups are missing or not writable
     */
    public static Optional<CpuQuota> of(double cpus) {
        var quota = Long.toString(Math.round(cpus * PERIOD_MICROS));
        return create(VERSION_1, "cpu.cfs_quota_us", quota).or(() -> create(VERSION_2, "cpu.max", quota + ' ' + PERIOD_MICROS));
    }

    private static Optional<CpuQuota> create(Path parent, String file, String quota) {
        if (!Files.isDirectory(parent)) {
            return Optional.empty();
        }
        CpuQuota created = null;
        try {
            created = new CpuQuota(Files.createTempDirectory(parent, "sluice-test-"));
            if (Files.exists(created.group.resolve(file))) {
                Files.writeString(created.group.resolve(file), quota);
                return Optional.of(created);
            }
        } catch (IOException e) {
            // not writable here
        }
        if (created != null) {
            created.close();
        }
        return Optional.empty();
    }

    /** Returns a command that enters the group and then executes its arguments. */
    public List<String> prefix() {
        return List.of("sh", "-c", "echo $$ > \"$0\" && exec \"$@\"", group.resolve("cgroup.procs").toString());
    }

    /** Removes the group, in which no process may be left. */
    @Override
    public void close() {
        Awaitility.await("control group to be empty").atMost(Duration.ofSeconds(10)).pollInterval(Duration.ofMillis(20))
                .until(() -> group.toFile().delete());
    }
}
