using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

using Antmicro.Renode.Core;
using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.I2C;
using Antmicro.Renode.Utilities;

namespace Antmicro.Renode.Peripherals.Boardless
{
    // The sensor: a target on the control bus, and the source of the DCMI's lines. It has a clock of
    // its own and runs from power-on, whatever the firmware does.
    public sealed class Ov7670 : IAcknowledgingTarget
    {
        public Ov7670(IMachine machine, Dcmi dcmi, uint xclkFrequency = 24000000)
        {
            this.machine = machine;
            this.dcmi = dcmi;
            this.xclkFrequency = xclkFrequency;
            dcmi.FrameEnded += FrameEnded;
            clock = new Delay(machine, this, "frame clock", () => next());
            Reset();
        }

        public void Reset()
        {
            LoadResetValues();
            pointer = -1;
            Restart();
        }

        // ---- the lens ----

        // Queues the luma of 160x120 pixels in a file: bytes, row by row.
        public void Show(ReadFilePath path)
        {
            var scene = File.ReadAllBytes(path);
            if(scene.Length != SceneBytes)
            {
                throw new RecoverableException($"{path}: found {scene.Length} bytes, expected {SceneBytes}");
            }
            Queue(scene);
        }

        // Returns the number of the frame among the completed captures, past and to come.
        public int Queue(byte[] scene)
        {
            queue.Enqueue(new Scene { Number = shown++, Pixels = scene });
            var repeated = dcmi.IsCapturing && !fromQueue ? 1 : 0;
            return captured.Count + repeated + queue.Count - 1;
        }

        public IReadOnlyList<CompletedCapture> Captured => captured;

        // Which of the frames shown each completed capture has seen; -1 for none.
        public string CapturedFrames => string.Join(" ", captured.Select(capture => capture.Shown));

        public void AddFault(string fault)
        {
            faults.Add(new SensorFault(fault));
        }

        public void Repair()
        {
            faults.Clear();
        }

        // ---- control bus (SCCB) ----

        public bool Acknowledges()
        {
            return faults.All(fault => fault.Acknowledges());
        }

        // A register address, then values for it and its followers.
        public void Write(byte[] data)
        {
            foreach(var value in data)
            {
                if(pointer < 0 || !addressed)
                {
                    pointer = value;
                    addressed = true;
                }
                else
                {
                    WriteRegister(pointer++, value);
                }
            }
        }

        public byte[] Read(int count = 1)
        {
            var data = new byte[count];
            for(var at = 0; at < count; at++)
            {
                var address = Math.Max(pointer, 0);
                var value = address < registers.Length ? registers[address] : (byte)0;
                data[at] = faults.Aggregate(value, (seen, fault) => fault.Register(address, seen));
                pointer = address + 1;
            }
            return data;
        }

        // A read comes after a stop: the register address stays.
        public void FinishTransmission()
        {
            addressed = false;
        }

        private void WriteRegister(int address, byte value)
        {
            if(address == Com7 && (value & SoftReset) != 0)
            {
                LoadResetValues();
                Restart();
            }
            else if(address < registers.Length && !readOnly.Contains(address))
            {
                var changed = registers[address] != value;
                registers[address] = value;
                if(changed && (address == ClockControl || address == PllControl))
                {
                    Restart(); // the frame in progress is of no rate that was asked for
                }
            }
        }

        private void LoadResetValues()
        {
            Array.Clear(registers, 0, registers.Length);
            for(var at = 0; at < resetValues.Length; at += 2)
            {
                registers[resetValues[at]] = resetValues[at + 1];
            }
        }

        // ---- frames ----

        // 510 lines of 784 pixels, two clocks a pixel.
        private ulong FrameNanoseconds
        {
            get
            {
                var control = registers[ClockControl];
                var divider = (control & ExternalClock) != 0 ? 1u : (control & 0x3Fu) + 1;
                var factor = pllFactors[registers[PllControl] >> 6];
                return 2UL * Ov7670Output.FrameLines * Ov7670Output.LinePixels * divider * 1000000000UL
                    / ((ulong)xclkFrequency * factor);
            }
        }

        private void Restart()
        {
            at = 0;
            WaitUntil(FrameNanoseconds, FrameDue);
        }

        // Times count from the start of the frame, so that rounding never adds up.
        private void WaitUntil(ulong time, Action then)
        {
            next = then;
            clock.Start(Math.Max(time, at + 1) - at);
            at = time;
        }

        // VSYNC begins: the frame before is over.
        private void FrameDue()
        {
            at = 0;
            frameTime = FrameNanoseconds;
            if((registers[Com2] & Sleep) != 0 || !faults.All(fault => fault.Clocks))
            {
                WaitUntil(frameTime, FrameDue);
                return;
            }
            var pins = registers[Com10];
            vsyncNegative = (pins & VSyncNegative) != 0;
            var hrefHigh = (pins & HSyncPin) != 0 ? (pins & HSyncNegative) != 0 : (pins & HrefReverse) == 0;
            dcmi.Configure(hrefHigh, (pins & PclkReverse) == 0);
            dcmi.DriveVerticalSync(!vsyncNegative);
            WaitUntil(frameTime * Ov7670Output.VSyncLines / Ov7670Output.FrameLines, FrameStart);
        }

        // VSYNC ends: the frame at the head of the queue is exposed.
        private void FrameStart()
        {
            dcmi.DriveVerticalSync(vsyncNegative);
            framesClocked++;
            if(queue.Count > 0)
            {
                inView = queue.Peek();
                fromQueue = true;
            }
            if(!dcmi.IsListening)
            {
                WaitUntil(frameTime, FrameDue);
                return;
            }
            var output = new Ov7670Output(registers);
            if(output.Unmodelled)
            {
                this.Log(LogLevel.Warning, "COM7 is 0x{0:X2}: RGB, raw and test bars are not modelled", registers[Com7]);
            }
            var number = listenedFrames++;
            lines = faults.Aggregate(output.Render(inView.Pixels), (seen, fault) => fault.Lines(number, seen));
            lineEnds = output.LineEnds(frameTime);
            blanking = (registers[Com10] & PclkGated) != 0 ? new byte[0] : output.Blanking;
            row = -1;
            LineDue();
        }

        // One line ended; wait for the end of the next, or of the frame.
        private void LineDue()
        {
            var ended = row++;
            if(row < lines.Length)
            {
                WaitUntil(lineEnds[row], LineDue);
            }
            else
            {
                WaitUntil(frameTime, FrameDue);
            }
            if(ended >= 0 && lines[ended] != null)
            {
                dcmi.ReceiveLine(lines[ended], blanking);
            }
        }

        private void FrameEnded(bool whole)
        {
            if(!whole)
            {
                return;
            }
            captured.Add(new CompletedCapture
            {
                Shown = inView.Number,
                Clocked = framesClocked,
                Nanoseconds = machine.ClockSource.CurrentValue.TotalNanoseconds,
            });
            if(fromQueue)
            {
                queue.Dequeue();
                fromQueue = false;
            }
        }

        // Which of the frames shown, which of those that the sensor clocked out, and when it was whole.
        public sealed class CompletedCapture
        {
            public int Shown;
            public int Clocked;
            public ulong Nanoseconds;
        }

        private sealed class Scene
        {
            public int Number;
            public byte[] Pixels;
        }

        private static readonly int[] readOnly = { 0x0A, 0x0B, 0x1C, 0x1D };
        private static readonly uint[] pllFactors = { 1, 4, 6, 8 };

        // Address, value, address, value … of the registers that are not 0 after a reset.
        private static readonly byte[] resetValues =
        {
            0x01, 0x80, 0x02, 0x80, 0x09, 0x01, 0x0A, 0x76, 0x0B, 0x73, 0x0E, 0x01, 0x0F, 0x43,
            0x10, 0x40, 0x11, 0x80, 0x13, 0x8F, 0x14, 0x4A, 0x17, 0x11, 0x18, 0x61, 0x19, 0x03,
            0x1A, 0x7B, 0x1C, 0x7F, 0x1D, 0xA2, 0x1E, 0x01, 0x20, 0x04, 0x21, 0x02, 0x22, 0x01,
            0x24, 0x75, 0x25, 0x63, 0x26, 0xD4, 0x27, 0x80, 0x28, 0x80, 0x2C, 0x80, 0x30, 0x08,
            0x31, 0x30, 0x32, 0x80, 0x33, 0x08, 0x34, 0x11, 0x37, 0x3F, 0x38, 0x01, 0x3A, 0x0D,
            0x3C, 0x68, 0x3D, 0x88, 0x40, 0xC0, 0x41, 0x08, 0x43, 0x14, 0x44, 0xF0, 0x45, 0x45,
            0x46, 0x61, 0x47, 0x51, 0x48, 0x79, 0x4F, 0x40, 0x50, 0x34, 0x51, 0x0C, 0x52, 0x17,
            0x53, 0x29, 0x54, 0x40, 0x56, 0x40, 0x57, 0x80, 0x58, 0x1E, 0x64, 0x50, 0x65, 0x30,
            0x67, 0x80, 0x68, 0x80, 0x6B, 0x0A, 0x6C, 0x02, 0x6D, 0x55, 0x6E, 0xC0, 0x6F, 0x9A,
            0x70, 0x3A, 0x71, 0x35, 0x72, 0x11, 0x77, 0x10, 0xA2, 0x02,
        };

        private readonly IMachine machine;
        private readonly Dcmi dcmi;
        private readonly uint xclkFrequency;
        private readonly Delay clock;
        private readonly byte[] registers = new byte[0xCA];
        private readonly Queue<Scene> queue = new Queue<Scene>();
        private readonly List<CompletedCapture> captured = new List<CompletedCapture>();
        private readonly List<SensorFault> faults = new List<SensorFault>();

        // Mid grey until a frame is shown.
        private Scene inView = new Scene { Number = -1, Pixels = Enumerable.Repeat((byte)128, SceneBytes).ToArray() };
        private Action next;
        private ulong at;
        private ulong frameTime;
        private byte[][] lines;
        private ulong[] lineEnds;
        private byte[] blanking;
        private int row;
        private int pointer;
        private int shown;
        private int listenedFrames;
        private int framesClocked;
        private bool addressed;
        private bool fromQueue;
        private bool vsyncNegative;

        private const int SceneBytes = Ov7670Output.SceneWidth * Ov7670Output.SceneHeight;

        private const int Com2 = 0x09;
        private const int ClockControl = 0x11;
        private const int Com7 = 0x12;
        private const int Com10 = 0x15;
        private const int PllControl = 0x6B;

        private const int Sleep = 1 << 4;
        private const int ExternalClock = 1 << 6;
        private const int SoftReset = 1 << 7;
        private const int HSyncPin = 1 << 6;
        private const int PclkGated = 1 << 5;
        private const int PclkReverse = 1 << 4;
        private const int HrefReverse = 1 << 3;
        private const int VSyncNegative = 1 << 1;
        private const int HSyncNegative = 1 << 0;
    }
}
