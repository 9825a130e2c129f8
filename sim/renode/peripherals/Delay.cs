using System;

using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Boardless
{
    // Calls back once after some nanoseconds of virtual time, whatever the length of the quantum.
    public sealed class Delay
    {
        public Delay(IMachine machine, IPeripheral owner, string name, Action then)
        {
            this.machine = machine;
            timer = new LimitTimer(machine.ClockSource, NanosecondsPerSecond, owner, name, limit: 1,
                workMode: WorkMode.OneShot, eventEnabled: true, autoUpdate: true);
            timer.LimitReached += () =>
            {
                IsRunning = false;
                then();
            };
        }

        // In a register access: account for the instructions that ran since the last look.
        public static void Synchronise(IMachine machine)
        {
            if(machine.SystemBus.TryGetCurrentCPU(out var cpu))
            {
                cpu.SyncTime();
            }
        }

        public void Start(ulong nanoseconds, bool fromAccess = false)
        {
            if(fromAccess)
            {
                Synchronise(machine);
            }
            timer.Enabled = false;
            timer.Limit = Math.Max(nanoseconds, 1);
            IsRunning = true;
            timer.Enabled = true;
        }

        public void Stop()
        {
            IsRunning = false;
            timer.Enabled = false;
        }

        public bool IsRunning { get; private set; }

        private readonly IMachine machine;
        private readonly LimitTimer timer;

        private const ulong NanosecondsPerSecond = 1000000000;
    }
}
