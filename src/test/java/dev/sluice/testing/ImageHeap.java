package dev.sluice.testing;

import java.io.FileDescriptor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.nio.Buffer;
import java.nio.channels.Channel;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicReference;

/** Objects, and all that their fields lead to: what a native compiler would write into an image. */
public final class ImageHeap {

    /** What belongs to a process, or is another one each time. */
    private static final List<Class<?>> OF_A_PROCESS = List.of(Thread.class, ClassLoader.class, Random.class, UUID.class,
            Instant.class, Clock.class, InetAddress.class, FileDescriptor.class, Channel.class, Process.class,
            ExecutorService.class);

    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Class<?>> types = new HashSet<>();
    private final List<String> ofTheProcess = new ArrayList<>();

    /** All that the static fields of a class lead to. */
    public void addStatics(Class<?> type) {
        for (var field : type.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers())) {
                add(get(field, null), field.toString());
            }
        }
    }

    public void add(Object root) {
        add(root, root.getClass().getName());
    }

    /** The classes of all objects. */
    public Set<Class<?>> types() {
        return types;
    }

    /** What should not be there, and from which field it was reached. */
    public List<String> ofTheProcess() {
        return ofTheProcess;
    }

    private void add(Object root, String from) {
        var open = new ArrayDeque<>();
        open.add(Optional.ofNullable(root));
        while (!open.isEmpty()) {
            var object = open.poll();
            // A logger leads to the log's handlers; Quarkus sees to them.
            if (object instanceof Class || object.getClass().getName().startsWith("org.jboss.logging.") || !seen.add(object)) {
                continue;
            }
            types.add(object.getClass());
            if (OF_A_PROCESS.stream().anyMatch(type -> type.isInstance(object))
                    || object instanceof Buffer buffer && buffer.isDirect()) {
                ofTheProcess.add(object.getClass().getName() + " of " + from);
            }
            open.addAll(next(object));
        }
    }

    private static List<Object> next(Object object) {
        var next = new ArrayList<>();
        if (object instanceof Object[] array) {
            next.addAll(Arrays.asList(array));
        } else if (object instanceof Optional<?> optional) {
            optional.ifPresent(next::add);
        } else if (object instanceof AtomicReference<?> reference) {
            next.add(reference.get());
        } else if (object.getClass().getModule().isNamed()) {
            // The platform's fields are closed; what its collections hold is not.
            if (object instanceof Map<?, ?> map) {
                next.addAll(map.keySet());
                next.addAll(map.values());
            } else if (object instanceof Collection<?> collection) {
                next.addAll(collection);
            }
        } else {
            for (Class<?> type = object.getClass(); type != null && !type.getModule().isNamed(); type = type.getSuperclass()) {
                for (var field : type.getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers()) && !field.getType().isPrimitive()) {
                        next.add(get(field, object));
                    }
                }
            }
        }
        next.removeIf(found -> found == null);
        return next;
    }

    private static Object get(Field field, Object owner) {
        try {
            field.setAccessible(true);
            return field.get(owner);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
