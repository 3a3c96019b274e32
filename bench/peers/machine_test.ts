// A figure of the wrong file system is worth nothing, so the mount is found as the kernel would.
import { assertEquals } from "@std/assert";
import { mountOf } from "./machine.ts";

const MOUNTINFO = String.raw`22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
23 22 0:21 / /proc rw,nosuid - proc proc rw
30 22 0:27 / /data rw,noatime shared:5 master:2 - xfs /dev/sdb1 rw,logbufs=8
31 22 0:28 / /data/my\040disk rw - tmpfs tmpfs rw,size=1g
32 22 0:29 / /mnt rw - ext4 /dev/old rw
33 22 0:30 / /mnt rw - btrfs /dev/new rw
`;

Deno.test("mountOf() takes the deepest mount above the path, and the last of two at one place", () => {
  const device = (path: string): string | undefined => mountOf(MOUNTINFO, path)?.device;
  assertEquals(["/", "/home/x", "/data", "/data/x", "/database"].map(device), [
    ...["/dev/vda", "/dev/vda", "/dev/sdb1", "/dev/sdb1", "/dev/vda"],
  ]);
  assertEquals(device("/data/my disk/x"), "tmpfs");
  assertEquals(device("/mnt/x"), "/dev/new");
});

Deno.test("mountOf() gives type and options of the file system, and undefined without mounts", () => {
  assertEquals(mountOf(MOUNTINFO, "/data"), {
    fileSystem: "xfs",
    device: "/dev/sdb1",
    mountOptions: "rw,logbufs=8",
  });
  assertEquals(mountOf("", "/data"), undefined);
});
