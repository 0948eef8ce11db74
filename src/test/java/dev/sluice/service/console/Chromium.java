package dev.sluice.service.console;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Chromium of this machine, with which the console is tested. */
final class Chromium {

    private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

    /** Text of the line that says that there is none. */
    static final String NOT_FOUND = "none of " + String.join(", ", NAMES) + " is in PATH";

    private Chromium() {
    }

    /** Returns the program; empty if none is installed. */
    static Optional<Path> find() {
        return NAMES.stream().flatMap(name -> Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .map(folder -> Path.of(folder, name))).filter(Files::isExecutable).findFirst();
    }
}
