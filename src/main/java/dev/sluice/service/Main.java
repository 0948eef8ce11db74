package dev.sluice.service;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

import dev.sluice.config.ConfigValidator;
import dev.sluice.service.observability.BuildInfo;
import io.quarkus.runtime.ApplicationLifecycleManager;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/**
 * Starts the service, or executes a command:
 * <ul>
 * <li>{@code health} checks the liveness of a local instance and exits with 0 if it is live, 1 otherwise; for containers without
 * shell and curl
 * <li>{@code check [file]} checks the settings and the rules file and exits with 0 if they are valid, 1 otherwise
 * <li>{@code --help} and {@code --version}
 * </ul>
 * An unknown command exits with 2.
 */
@QuarkusMain
public class Main {

    private static final int TIMEOUT_MILLIS = 2000;
    private static final int EXIT_USAGE = 2;
    private static final String USAGE = """
            Sluice, distributed rate limiting for HTTP APIs and LLM calls

            Usage: java [options] -jar quarkus-run.jar [command]

              (none)         start the service on port 8080 (QUARKUS_HTTP_PORT)
              check [file]   check the settings, and a rules file in place of RATE_LIMIT_FILE, without starting;
                             exits with 0 if they are valid, 1 if not
              health         exit with 0 if an instance on this host is live, 1 if not
              --version      print the version
              --help         print this text

            Settings are environment variables, such as REDIS_HOST=localhost or UPSTREAM_URL=http://localhost:8000, or system
            properties in front of -jar, such as -Drate-limit.dry-run=true. The reference is docs/configuration.md.""";

    private static final String CONFIG_CATEGORY = "io.smallrye.config";
    private static final String DUPLICATE_VALUE = "SRCFG01007";

    /** Holds the filter for as long as the program runs. Set by {@link #main}: a logger must not be in a native image. */
    private static Logger configLog;

    public static void main(String... arguments) {
        configLog = Logger.getLogger(CONFIG_CATEGORY);
        configLog.setFilter(Main::removeValue);
        var command = arguments.length == 0 ? "" : arguments[0];
        switch (command) {
            case "" -> run(arguments);
            case "check" -> check(arguments);
            case "health" -> System.exit(isLive(managementPort()) ? 0 : 1);
            case "--version", "-V", "version" -> System.out.println("sluice " + BuildInfo.version());
            case "--help", "-h", "help" -> System.out.println(USAGE);
            default -> {
                System.err.println("Unknown command: " + command + (command.startsWith("-D")
                        ? "; system properties must be in front of -jar"
                        : "") + "\n\n" + USAGE);
                System.exit(EXIT_USAGE);
            }
        }
    }

    /** SmallRye Config logs the other value of a property that is set twice, secrets included. */
    private static boolean removeValue(LogRecord log) {
        var parameters = log.getParameters();
        if (log.getMessage() != null && log.getMessage().startsWith(DUPLICATE_VALUE) && parameters != null) {
            parameters[parameters.length - 1] = "not shown";
        }
        return true;
    }

    private static void run(String... arguments) {
        Quarkus.run(null, new StartupFailure(ApplicationLifecycleManager.getDefaultExitCodeHandler()), arguments);
    }

    private static void check(String... arguments) {
        if (arguments.length > 2 || arguments.length == 2 && (arguments[1].isBlank() || arguments[1].startsWith("-"))) {
            System.err.println("check takes the name of one rules file at most\n\n" + USAGE);
            System.exit(EXIT_USAGE);
        }
        if (arguments.length == 2) {
            System.setProperty("rate-limit.file", arguments[1]);
        }
        System.setProperty(ConfigValidator.CHECK_ONLY, "true");
        System.setProperty("quarkus.log.console.level", "WARN");
        run();
    }

    private static int managementPort() {
        var port = System.getenv().getOrDefault("QUARKUS_MANAGEMENT_PORT", "9000");
        try {
            return Integer.parseInt(port.strip());
        } catch (NumberFormatException e) {
            System.err.println("QUARKUS_MANAGEMENT_PORT=" + port + ": a port number");
            System.exit(EXIT_USAGE);
            throw e;
        }
    }

    /** @param port port of the management interface */
    private static boolean isLive(int port) {
        try (var socket = new Socket()) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
            socket.getOutputStream().write("GET /q/health/live HTTP/1.0\r\nHost: localhost\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
            var status = new String(socket.getInputStream().readNBytes("HTTP/1.0 200".length()), StandardCharsets.US_ASCII);
            return status.startsWith("HTTP/1.") && status.endsWith(" 200");
        } catch (IOException e) {
            System.err.println("No response from port " + port + ": " + e.getMessage());
            return false;
        }
    }
}
