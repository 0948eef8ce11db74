package dev.sluice.service;

import java.net.BindException;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import dev.sluice.config.ConfigurationChecked;
import io.quarkus.runtime.QuarkusBindException;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.runtime.util.ExceptionUtil;
import io.smallrye.config.ConfigValidationException;

/**
 * Reports why the service did not start, and exits. Causes that the operator can remove are one line, or one for each problem; all
 * others have a stack trace.
 */
final class StartupFailure implements BiConsumer<Integer, Throwable> {

    private static final String INVALID = "Invalid configuration; Sluice does not start:\n  ";

    /** Message of SmallRye Config, around the one that says what is expected. */
    private static final Pattern CONVERSION = Pattern.compile("(?:[\\w.]+: )?SRCFG00039: The config property (\\S+) with the"
            + " config value \"(.*?)\" threw an Exception whilst being converted (?:SRCFG\\d+: )?", Pattern.DOTALL);

    private final BiConsumer<Integer, Throwable> exit;

    /** @param exit exits; in dev mode, waits for the next change of the sources instead */
    StartupFailure(BiConsumer<Integer, Throwable> exit) {
        this.exit = exit;
    }

    @Override
    public void accept(Integer exitCode, Throwable failure) {
        if (failure == null) {
            exit.accept(exitCode, null);
            return;
        }
        var cause = ExceptionUtil.getRootCause(failure);
        if (cause instanceof ConfigurationChecked checked) {
            System.out.println(checked.getMessage());
            exit.accept(0, null);
            return;
        }
        var description = describe(failure, cause);
        if (description == null) {
            System.err.println("Sluice does not start");
            failure.printStackTrace();
        } else {
            System.err.println(description);
        }
        exit.accept(exitCode, failure);
    }

    /** Returns a description without a stack trace; null if the cause is not known. */
    static String describe(Throwable failure, Throwable cause) {
        if (cause instanceof QuarkusBindException bind) {
            return "Sluice does not start: port " + bind.getPort()
                    + " is in use; set QUARKUS_HTTP_PORT or QUARKUS_MANAGEMENT_PORT to"
                    + " another one";
        }
        if (cause instanceof BindException) {
            return "Sluice does not start: the port of the service (QUARKUS_HTTP_PORT) or for health and metrics"
                    + " (QUARKUS_MANAGEMENT_PORT) cannot be opened: " + cause.getMessage();
        }
        for (var current = failure; current != null; current = current.getCause()) {
            if (current instanceof ConfigurationException) {
                return current.getMessage();
            }
            if (isThrownByTlsRegistry(current)) {
                return INVALID + current.getMessage() + (current == cause ? "" : ": " + cause.getMessage());
            }
        }
        // SmallRye Config throws these for settings of Quarkus, before anything has started.
        if (cause instanceof ConfigValidationException invalid) {
            return INVALID + IntStream.range(0, invalid.getProblemCount())
                    .mapToObj(problem -> CONVERSION.matcher(invalid.getProblem(problem).getMessage()).replaceFirst("$1=$2: "))
                    .distinct().collect(Collectors.joining("\n  "));
        }
        boolean config = cause.getMessage() != null && cause.getMessage().startsWith("SRCFG");
        return config ? INVALID + cause.getMessage() : null;
    }

    /** The TLS registry has no type for its errors: of files of keys and certificates that it cannot read. */
    private static boolean isThrownByTlsRegistry(Throwable failure) {
        var frames = failure.getStackTrace();
        return frames.length > 0 && frames[0].getClassName().startsWith("io.quarkus.tls.");
    }
}
