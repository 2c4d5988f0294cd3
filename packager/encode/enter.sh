#!/bin/sh
# What a program sees that reads hostile input where bubblewrap is not there: started by `unshare` with namespaces of
# its own, it makes a root that holds the system's programs (read-only) and the folder of the job, and becomes the
# program in there, without any capability. A chroot holds whoever has none, and keeps new user namespaces away.
#
#   enter.sh ROOT FOLDER INPUT PLACES COMMAND ARGUMENT…
#
# ROOT is an empty folder; FOLDER becomes /job; INPUT is a name in it that is not to be written to ('' for none);
# PLACES are folders and files that are there as they are outside, one a line.
set -eu
root=$1
folder=$2
input=$3
places=$4
shift 4

mount -t tmpfs -o size=1m,mode=0755 none "$root"
cd "$root"
IFS='
'
set -f
for place in $places; do
  if [ -L "$place" ]; then
    mkdir -p ".${place%/*}"
    ln -s "$(readlink "$place")" ".$place"
    continue
  elif [ -d "$place" ]; then
    mkdir -p ".$place"
  elif [ -e "$place" ]; then
    mkdir -p ".${place%/*}"
    : > ".$place"
  else
    continue
  fi
  mount --rbind "$place" ".$place"
  mount -o remount,bind,ro,nosuid,nodev ".$place"
done
mkdir dev job
for device in null zero urandom; do
  : > "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mount --bind "$folder" job
if [ -n "$input" ]; then
  mount --bind "job/$input" "job/$input"
  mount -o remount,bind,ro,nosuid,nodev "job/$input"
fi
mount -o remount,bind,ro .
exec chroot . sh -c 'cd /job; exec "$@"' sh "$@"
