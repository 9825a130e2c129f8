using System;
using System.Linq;

using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.Boardless
{
    // DCMI (RM0090, chapter 15). A line arrives as one piece at its end, and the DMA takes it at
    // once; what neither the DMA takes nor the FIFO holds by then is lost and sets OVR. Embedded
    // synchronisation is not modelled.
    public sealed class Dcmi : IDoubleWordPeripheral, IKnownSize, IDmaClient
    {
        public Dcmi(IMachine machine, ulong address, Dma dma)
        {
            this.dma = dma;
            DataAddress = address + Data;
            IRQ = new GPIO();
            dma.Connect(Request, this);
            Reset();
        }

        public void Reset()
        {
            Array.Clear(registers, 0, registers.Length);
            fifo = new byte[0];
            partial = new byte[0];
            stopping = false;
            framesSeen = 0;
            Abandon();
            UpdateInterrupt();
        }

        public uint ReadDoubleWord(long offset)
        {
            switch(offset)
            {
            case Status:
                // A line arrives at its end: what software sees is always the gap between lines.
                return HorizontalSync | (IsVerticalSyncActive ? VerticalSync : 0) | (fifo.Length > 0 ? FifoNotEmpty : 0);
            case MaskedStatus:
                return registers[RawStatus / 4] & registers[InterruptEnable / 4];
            case Data:
                return BitConverter.ToUInt32(ReadData(4, 1), 0);
            default:
                return offset < RegistersEnd ? registers[offset / 4] : 0;
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            switch(offset)
            {
            case Control:
                WriteControl(value & 0x4FFF);
                break;
            case InterruptClear:
                registers[RawStatus / 4] &= ~value;
                break;
            case InterruptEnable:
            case EmbeddedCodes:
            case EmbeddedUnmask:
            case CropStart:
            case CropSize:
                registers[offset / 4] = value;
                break;
            }
            UpdateInterrupt();
        }

        public byte[] ReadData(int size, int count)
        {
            var taken = Math.Min(4 * count, fifo.Length);
            var data = new byte[4 * count];
            Array.Copy(fifo, data, taken);
            fifo = fifo.Skip(taken).ToArray();
            return data;
        }

        public void WriteData(uint value)
        {
        }

        public void Invite(string request)
        {
            if(fifo.Length >= 4)
            {
                dma.Serve(Request, fifo.Length / 4);
            }
        }

        // The sensor says how it drives its pins.
        public void Configure(bool hrefValidHigh, bool dataOnRising)
        {
            this.hrefValidHigh = hrefValidHigh;
            this.dataOnRising = dataOnRising;
        }

        public void DriveVerticalSync(bool high)
        {
            if(high == verticalSyncHigh)
            {
                return;
            }
            verticalSyncHigh = high;
            if(!Has(Enable) || Has(EmbeddedSync))
            {
                return;
            }
            if(IsVerticalSyncActive)
            {
                Raise(VerticalSyncFlag);
                EndFrame();
            }
            else
            {
                StartFrame();
            }
        }

        // A line ended: its bytes, and what PCLK clocked until the next one.
        public void ReceiveLine(byte[] data, byte[] blanking)
        {
            if(!Has(Enable) || Has(EmbeddedSync))
            {
                return;
            }
            // HSYNC active means blanking: the level that HSPOL calls inactive carries the data.
            var line = Sample(!Has(HorizontalPolarity) == hrefValidHigh ? data : blanking);
            if(IsCapturing)
            {
                CaptureLine(line);
            }
            Raise(LineFlag);
        }

        // A frame's capture ended; true when it was captured whole.
        public event Action<bool> FrameEnded;

        // Whether a line could change anything here.
        public bool IsListening => Has(Enable)
            && (Has(Capture) || (registers[InterruptEnable / 4] & LineFlag) != 0
                || (registers[RawStatus / 4] & LineFlag) == 0);

        public bool IsCapturing { get; private set; }

        public ulong DataAddress { get; }

        public GPIO IRQ { get; }

        public long Size => 0x400;

        private void WriteControl(uint value)
        {
            var old = registers[Control / 4];
            registers[Control / 4] = value;
            if((value & EmbeddedSync) != 0)
            {
                this.Log(LogLevel.Warning, "embedded synchronisation (ESS) is not modelled");
            }
            if((value & Enable) == 0)
            {
                Abandon();
                fifo = new byte[0];
                partial = new byte[0];
                stopping &= (value & Capture) != 0;
            }
            else if((value & Capture) != 0)
            {
                stopping = false;
                framesSeen = (old & Capture) == 0 ? 0 : framesSeen;
            }
            else if((old & Capture) != 0 && IsCapturing)
            {
                registers[Control / 4] |= Capture; // reads as set until the frame's end
                stopping = true;
            }
        }

        private void StartFrame()
        {
            if(!Has(Capture) || IsCapturing)
            {
                return;
            }
            var every = Has(Snapshot) ? 1 : frameRates[(registers[Control / 4] >> 8) & 3];
            IsCapturing = framesSeen++ % every == 0;
            cropped = Has(Crop) && !Has(Jpeg);
        }

        private void CaptureLine(byte[] line)
        {
            var row = lineNumber++;
            if(!cropped)
            {
                Accept(line);
                return;
            }
            var top = registers[CropStart / 4] >> 16;
            var bottom = top + (registers[CropSize / 4] >> 16);
            if(row >= top && row <= bottom)
            {
                var left = (int)registers[CropStart / 4] & 0x3FFF;
                var clocks = ((int)registers[CropSize / 4] & 0x3FFF) + 1;
                Accept(line.Skip(left).Take(clocks).ToArray());
                if(row == bottom)
                {
                    EndFrame();
                }
            }
        }

        private void EndFrame()
        {
            if(!IsCapturing)
            {
                return;
            }
            if(partial.Length > 0) // the last word is filled with zeros
            {
                var rest = partial.Concat(new byte[4 - partial.Length]).ToArray();
                partial = new byte[0];
                if(!Push(rest))
                {
                    return;
                }
            }
            var whole = !overrun && capturedBytes > 0;
            Abandon();
            if(Has(Snapshot) || stopping)
            {
                registers[Control / 4] &= ~Capture;
                stopping = false;
            }
            Raise(FrameFlag);
            FrameEnded?.Invoke(whole);
        }

        private void Abandon()
        {
            IsCapturing = false;
            overrun = false;
            lineNumber = 0;
            capturedBytes = 0;
        }

        // Four bytes a word, or two with 10 to 14 data lines, of which an 8-bit sensor drives eight.
        private void Accept(byte[] data)
        {
            if(((registers[Control / 4] >> 10) & 3) != 0)
            {
                data = data.SelectMany(value => new byte[] { value, 0 }).ToArray();
            }
            capturedBytes += data.Length;
            data = partial.Concat(data).ToArray();
            var whole = data.Length & ~3;
            partial = data.Skip(whole).ToArray();
            Push(data.Take(whole).ToArray());
        }

        // False when the words did not fit and a snapshot was lost by that.
        private bool Push(byte[] words)
        {
            fifo = fifo.Concat(words).ToArray();
            dma.Serve(Request, fifo.Length / 4);
            if(fifo.Length <= FifoBytes)
            {
                return true;
            }
            fifo = fifo.Skip(fifo.Length - FifoBytes).ToArray();
            overrun = true;
            Raise(OverrunFlag);
            if(!Has(Snapshot))
            {
                return true;
            }
            Abandon();
            registers[Control / 4] &= ~Capture;
            FrameEnded?.Invoke(false);
            return false;
        }

        // At the edge where the sensor changes its data, the byte before is still on the wires.
        private byte[] Sample(byte[] data)
        {
            return Has(PixelClockPolarity) == dataOnRising || data.Length == 0
                ? data
                : new byte[1].Concat(data.Take(data.Length - 1)).ToArray();
        }

        private void Raise(uint flag)
        {
            registers[RawStatus / 4] |= flag;
            UpdateInterrupt();
        }

        private void UpdateInterrupt()
        {
            IRQ.Set((registers[RawStatus / 4] & registers[InterruptEnable / 4]) != 0);
        }

        private bool Has(uint bit)
        {
            return (registers[Control / 4] & bit) != 0;
        }

        private bool IsVerticalSyncActive => verticalSyncHigh == Has(VerticalPolarity);

        private static readonly int[] frameRates = { 1, 2, 4, 1 };

        private readonly Dma dma;
        private readonly uint[] registers = new uint[RegistersEnd / 4];
        private byte[] fifo;
        private byte[] partial;
        private bool hrefValidHigh = true;
        private bool dataOnRising = true;
        private bool verticalSyncHigh;
        private bool stopping;
        private bool overrun;
        private bool cropped;
        private int framesSeen;
        private uint lineNumber;
        private int capturedBytes;

        private const string Request = "DCMI";
        private const int FifoBytes = 16;

        private const int Control = 0x00;
        private const int Status = 0x04;
        private const int RawStatus = 0x08;
        private const int InterruptEnable = 0x0C;
        private const int MaskedStatus = 0x10;
        private const int InterruptClear = 0x14;
        private const int EmbeddedCodes = 0x18;
        private const int EmbeddedUnmask = 0x1C;
        private const int CropStart = 0x20;
        private const int CropSize = 0x24;
        private const int Data = 0x28;
        private const int RegistersEnd = 0x2C;

        private const uint Capture = 1 << 0;
        private const uint Snapshot = 1 << 1;
        private const uint Crop = 1 << 2;
        private const uint Jpeg = 1 << 3;
        private const uint EmbeddedSync = 1 << 4;
        private const uint PixelClockPolarity = 1 << 5;
        private const uint HorizontalPolarity = 1 << 6;
        private const uint VerticalPolarity = 1 << 7;
        private const uint Enable = 1 << 14;

        private const uint HorizontalSync = 1 << 0;
        private const uint VerticalSync = 1 << 1;
        private const uint FifoNotEmpty = 1 << 2;

        private const uint FrameFlag = 1 << 0;
        private const uint OverrunFlag = 1 << 1;
        private const uint VerticalSyncFlag = 1 << 3;
        private const uint LineFlag = 1 << 4;
    }
}
