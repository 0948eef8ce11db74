package dev.sluice.testing.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;

/**
 * Resources of an instance after a garbage collection.
 *
 * @param heapBytes live objects
 * @param residentKilobytes memory of the process, native memory included; -1 where {@code /proc} is missing
 * @param openFiles sockets included; -1 where {@code /proc} is missing
 */
record ProcessUsage(long heapBytes, long residentKilobytes, long threads, long openFiles) {

    private static final Pattern HEAP = Pattern.compile("(?m)^jvm_memory_used_bytes\\{area=\"heap\".*} (\\S+)$");
    private static final Pattern THREADS = Pattern.compile("(?m)^jvm_threads_live_threads\\S* (\\S+)$");

    static ProcessUsage of(Instance instance) {
        collectGarbage(instance);
        var metrics = metrics(instance);
        long heap = HEAP.matcher(metrics).results().mapToLong(match -> (long) Double.parseDouble(match.group(1))).sum();
        long threads = THREADS.matcher(metrics).results().mapToLong(match -> (long) Double.parseDouble(match.group(1))).sum();
        var process = Path.of("/proc", Long.toString(instance.pid()));
        return new ProcessUsage(heap, residentKilobytes(process.resolve("status")), threads, openFiles(process.resolve("fd")));
    }

    static String metrics(Instance instance) {
        return new HttpTestClient(instance.managementPort()).get("/q/metrics").body();
    }

    private static void collectGarbage(Instance instance) {
        var jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        try {
            var process = new ProcessBuilder(jcmd, Long.toString(instance.pid()), "GC.run")
                    .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException("jcmd GC.run failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static long residentKilobytes(Path status) {
        try (var lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmRSS:")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst().orElse(-1);
        } catch (IOException e) {
            return -1;
        }
    }

    private static long openFiles(Path directory) {
        try (var files = Files.list(directory)) {
            return files.count();
        } catch (IOException e) {
            return -1;
        }
    }
}
