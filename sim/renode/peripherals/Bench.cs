using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;

using Antmicro.Renode.Core;
using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Peripherals.Boardless
{
    public static class BenchExtensions
    {
        public static void CreateBench(this Emulation emulation, string name)
        {
            emulation.ExternalsManager.AddExternal(new Bench(emulation), name);
        }
    }

    // A board for a program at the Monitor's other end. Every call names a number, and its answer is
    // a line of its own: "bench NUMBER ok KEY=VALUE ..." or "bench NUMBER error TYPE: TEXT". Times are nanoseconds
    // of virtual time, bytes and UART lines are hexadecimal.
    public sealed class Bench : IExternal
    {
        public Bench(Emulation emulation)
        {
            this.emulation = emulation;
            machine = emulation.Machines.First();
            cpu = machine.GetPeripheralsOfType<CortexM>().First();
            camera = machine.GetPeripheralsOfType<Ov7670>().First();
            usarts = machine.GetPeripheralsOfType<Usart>().ToArray();
            foreach(var usart in usarts)
            {
                ListenTo(usart);
            }
        }

        // Call it when the firmware is in Flash: the vector table says where faults go.
        public string Begin(int number)
        {
            return Answer(number, () =>
            {
                foreach(var exception in faultNames.Keys)
                {
                    var handler = machine.SystemBus.ReadDoubleWord(VectorTable + 4UL * (ulong)exception) & ~1u;
                    if(handler != 0 && hooked.Add(handler))
                    {
                        cpu.AddHook(handler, (_, __) => NoteFault());
                    }
                }
                return "";
            });
        }

        // Runs until a UART line is complete or the time is over, in whole quanta where it can.
        public string Run(int number, ulong microseconds, bool stopAtLine)
        {
            return Answer(number, () =>
            {
                var end = Now + microseconds * 1000;
                lineComplete = false;
                var quantum = emulation.MasterTimeSource.Quantum;
                while(Now < end && !(stopAtLine && lineComplete))
                {
                    var left = TimeInterval.FromNanoseconds(end - Now);
                    emulation.RunFor(TimeInterval.Min(left, quantum));
                }
                return State();
            });
        }

        public string Show(int number, string path)
        {
            return Answer(number, () => " frame=" + camera.Queue(File.ReadAllBytes(path)));
        }

        // Faults separated by commas; an empty text repairs the sensor.
        public string Break(int number, string faults)
        {
            return Answer(number, () =>
            {
                camera.Repair();
                foreach(var fault in faults.Split(new[] { ',' }, StringSplitOptions.RemoveEmptyEntries))
                {
                    camera.AddFault(fault);
                }
                return "";
            });
        }

        public string Send(int number, string port, string bytes)
        {
            return Answer(number, () =>
            {
                foreach(var value in FromHex(bytes))
                {
                    usarts.First(usart => usart.Port == port).WriteChar(value);
                }
                return "";
            });
        }

        public string Read(int number, ulong address, int size)
        {
            return Answer(number, () =>
            {
                RequireMemory(address, size);
                return " bytes=" + ToHex(machine.SystemBus.ReadBytes(address, size, onlyMemory: true));
            });
        }

        public string Write(int number, ulong address, string bytes)
        {
            return Answer(number, () =>
            {
                var data = FromHex(bytes);
                RequireMemory(address, data.Length);
                machine.SystemBus.WriteBytes(data, address, onlyMemory: true);
                return "";
            });
        }

        public string Register(int number, int register)
        {
            return Answer(number, () => " value=" + cpu.GetRegister(register).RawValue);
        }

        // The instructions of every call of the function at that address, which must not call itself.
        public string CountCalls(int number, ulong entry)
        {
            return Answer(number, () =>
            {
                cpu.AddHook(entry, (_, __) =>
                {
                    beforeCall = cpu.ExecutedInstructions;
                    var returnsTo = cpu.GetRegister(LinkRegister).RawValue & ~1UL;
                    if(returns.Add(returnsTo))
                    {
                        cpu.AddHook(returnsTo, (___, ____) => NoteReturn());
                    }
                });
                return "";
            });
        }

        private static string Answer(int number, Func<string> call)
        {
            try
            {
                return $"\nbench {number} ok" + call();
            }
            catch(Exception error)
            {
                var text = error.Message.Replace('\r', ' ').Replace('\n', ' ');
                return $"\nbench {number} error {error.GetType().Name}: {text}";
            }
        }

        private string State()
        {
            var state = new StringBuilder();
            state.Append(" time=").Append(Now);
            state.Append(" instructions=").Append(cpu.ExecutedInstructions);
            foreach(var capture in camera.Captured.Skip(capturesTold))
            {
                state.Append($" captured={capture.Shown},{capture.Clocked},{capture.Nanoseconds}");
            }
            capturesTold = camera.Captured.Count;
            if(fault != null)
            {
                state.Append(" fault=").Append(fault);
            }
            foreach(var call in calls)
            {
                state.Append(" call=").Append(call);
            }
            calls.Clear();
            foreach(var line in lines)
            {
                state.Append(" line=").Append(line);
            }
            lines.Clear();
            return state.ToString();
        }

        private void ListenTo(Usart usart)
        {
            var text = new List<byte>();
            usart.CharReceived += value =>
            {
                if(value != '\n' && text.Count < LongestLine)
                {
                    text.Add(value);
                    return;
                }
                var time = machine.ClockSource.CurrentValue.TotalNanoseconds;
                lines.Add($"{usart.Port},{time},{ToHex(text.ToArray())}");
                text.Clear();
                lineComplete = true;
            };
        }

        // The exception frame of the first fault, before its handler has run.
        private void NoteFault()
        {
            if(fault != null)
            {
                return;
            }
            var exception = (int)cpu.GetRegister(StatusRegister).RawValue & 0x1FF;
            if(!faultNames.TryGetValue(exception, out var name))
            {
                return; // a handler that several exceptions share
            }
            var link = cpu.GetRegister(LinkRegister).RawValue;
            var stack = cpu.GetRegister((link & 4) == 0 ? StackPointer : OtherStackPointer).RawValue;
            var pc = machine.SystemBus.ReadDoubleWord(stack + 24);
            var status = new[] { 0xE000ED28, 0xE000ED2C, 0xE000ED34, 0xE000ED38 }
                .Select(address => machine.SystemBus.ReadDoubleWord(address));
            fault = name + "," + pc + "," + string.Join(",", status);
        }

        private void NoteReturn()
        {
            if(beforeCall != null)
            {
                calls.Add(cpu.ExecutedInstructions - beforeCall.Value);
                beforeCall = null;
            }
        }

        private void RequireMemory(ulong address, int size)
        {
            var last = address + (ulong)Math.Max(size, 1) - 1;
            if(!memories.Any(memory => address >= memory.Item1 && last <= memory.Item2))
            {
                throw new RecoverableException($"no memory at 0x{address:x8}-0x{last:x8}");
            }
        }

        private static string ToHex(byte[] bytes)
        {
            return string.Concat(bytes.Select(value => value.ToString("x2")));
        }

        private static byte[] FromHex(string text)
        {
            return Enumerable.Range(0, text.Length / 2)
                .Select(at => byte.Parse(text.Substring(2 * at, 2), NumberStyles.HexNumber))
                .ToArray();
        }

        private ulong Now => emulation.MasterTimeSource.ElapsedVirtualTime.TotalNanoseconds;

        private static readonly Dictionary<int, string> faultNames = new Dictionary<int, string>
        {
            { 3, "HardFault" }, { 4, "MemManage" }, { 5, "BusFault" }, { 6, "UsageFault" },
        };

        private static readonly Tuple<ulong, ulong>[] memories =
        {
            Tuple.Create(0x08000000UL, 0x080FFFFFUL),
            Tuple.Create(0x10000000UL, 0x1000FFFFUL),
            Tuple.Create(0x20000000UL, 0x2001FFFFUL),
        };

        private readonly Emulation emulation;
        private readonly IMachine machine;
        private readonly CortexM cpu;
        private readonly Ov7670 camera;
        private readonly Usart[] usarts;
        private readonly HashSet<uint> hooked = new HashSet<uint>();
        private readonly HashSet<ulong> returns = new HashSet<ulong>();
        private readonly List<ulong> calls = new List<ulong>();
        private readonly List<string> lines = new List<string>();
        private volatile bool lineComplete;
        private string fault;
        private ulong? beforeCall;
        private int capturesTold;

        private const ulong VectorTable = 0x08000000;
        private const int LongestLine = 4096;
        private const int LinkRegister = 14;
        private const int StackPointer = 13;
        private const int OtherStackPointer = 22; // of the two, the one that is not in use
        private const int StatusRegister = 25;
    }
}
