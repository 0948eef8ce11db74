package dev.sluice.llm.pricing.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

import dev.sluice.config.StableChange;

/**
 * File with a price list. A change is recognized by its attributes: file system notifications would miss swapped links of a
 * Kubernetes volume. Blocks; not thread-safe.
 */
final class PriceFile {

    private final Path path;
    private final int maxBytes;
    private final StableChange<String> change;

    PriceFile(Path path, int maxBytes) {
        this.path = path;
        this.maxBytes = maxBytes;
        change = new StableChange<>(attributes());
    }

    /** Returns whether the file has changed since the last change, or since this object was created. To be called regularly. */
    boolean pollChange() {
        return change.poll(attributes());
    }

    private String attributes() {
        try {
            var attributes = Files.readAttributes(path, BasicFileAttributes.class);
            return attributes.size() + " " + attributes.lastModifiedTime() + ' ' + attributes.fileKey();
        } catch (IOException e) {
            return e.getClass().getSimpleName();
        }
    }

    /** @throws IOException with a message that can be shown, if there is no readable file, or it is too large */
    byte[] read() throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new IOException("not a regular file");
        }
        byte[] content;
        try (var stream = Files.newInputStream(path)) {
            content = stream.readNBytes(maxBytes + 1);
        } catch (NoSuchFileException e) {
            throw new IOException("no such file", e);
        } catch (IOException e) {
            throw new IOException("cannot be read: " + e.getClass().getSimpleName(), e);
        }
        if (content.length > maxBytes) {
            throw new IOException("larger than " + maxBytes + " bytes");
        }
        return content;
    }
}
