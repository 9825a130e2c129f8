using System;

namespace Antmicro.Renode.Peripherals.Boardless
{
    // What the OV7670's registers make of a scene of 160x120 pixels (data sheet 1.4): size, window,
    // the order of Y, U and V. Colour formats and test bars are not modelled.
    public sealed class Ov7670Output
    {
        public Ov7670Output(byte[] registers)
        {
            var windowed = true;
            fullWidth = ArrayWidth;
            fullHeight = ArrayHeight;
            var format = registers[Com7];
            if((registers[Com3] & DownSampling) != 0 && (registers[Com14] & ManualScaling) != 0)
            {
                fullWidth = ArrayWidth >> (registers[ScalingDcwctr] & 3);
                fullHeight = ArrayHeight >> ((registers[ScalingDcwctr] >> 4) & 3);
            }
            else if((format & Qvga) != 0)
            {
                fullWidth = 320;
                fullHeight = 240;
            }
            else if((format & (Cif | Qcif)) != 0)
            {
                windowed = false;
                fullWidth = (format & Cif) != 0 ? 352 : 176;
                fullHeight = (format & Cif) != 0 ? 288 : 144;
            }
            Width = fullWidth;
            Height = fullHeight;
            if(windowed)
            {
                UseWindow(registers);
            }
            Unmodelled = (format & (Rgb | Raw | ColourBars)) != 0;
            ReadPixelOrder(registers);
        }

        // The lines of a scene [120,160], two bytes a pixel.
        public byte[][] Render(byte[] scene)
        {
            var lines = new byte[Height][];
            for(var row = 0; row < Height; row++)
            {
                var from = Source(row, top, Height, fullHeight, SceneHeight, flip) * SceneWidth;
                var line = lines[row] = new byte[2 * Width];
                for(var column = 0; column < Width; column++)
                {
                    var luma = scene[from + Source(column, left, Width, fullWidth, SceneWidth, mirror)];
                    luma = negative ? (byte)~luma : luma;
                    line[2 * column + lumaAt] = Math.Min(Math.Max(luma, lowest), highest);
                    line[2 * column + 1 - lumaAt] = column % 2 == vAtOdd ? v : u;
                }
            }
            return lines;
        }

        // When each line's last byte is out, in nanoseconds since the start of the frame.
        public ulong[] LineEnds(ulong frameNanoseconds)
        {
            var ends = new ulong[Height];
            for(var row = 0; row < Height; row++)
            {
                var line = (ulong)(FirstVisibleLine + (top + row + 1) * ArrayHeight / fullHeight - 1);
                ends[row] = (line * LinePixels + ArrayWidth) * frameNanoseconds / (FrameLines * LinePixels);
            }
            return ends;
        }

        // What PCLK clocks between two lines: low data lines.
        public byte[] Blanking => new byte[2 * fullWidth * (LinePixels - ArrayWidth) / ArrayWidth];

        public int Width { get; private set; }

        public int Height { get; private set; }

        public bool Unmodelled { get; }

        private void UseWindow(byte[] registers)
        {
            var start = registers[HStart] << 3 | (registers[Href] & 7);
            var stop = registers[HStop] << 3 | ((registers[Href] >> 3) & 7);
            var width = Math.Min((stop - start + LinePixels) % LinePixels, ArrayWidth);
            left = Math.Min(Math.Max(start - FirstPixel, 0), ArrayWidth - width) * fullWidth / ArrayWidth;
            Width = width * fullWidth / ArrayWidth & ~1;

            start = registers[VStart] << 2 | (registers[Vref] & 3);
            stop = registers[VStop] << 2 | ((registers[Vref] >> 2) & 3);
            var height = Math.Min(Math.Max(stop - start, 0), ArrayHeight);
            top = Math.Min(Math.Max(start - FirstLine, 0), ArrayHeight - height) * fullHeight / ArrayHeight;
            Height = height * fullHeight / ArrayHeight;
        }

        private void ReadPixelOrder(byte[] registers)
        {
            lumaAt = (registers[Tslb] & ChromaFirst) != 0 ? 1 : 0;
            vAtOdd = (registers[Com13] & SwapChroma) != 0 ? 0 : 1;
            var isFixed = (registers[Tslb] & FixedChroma) != 0;
            u = isFixed ? registers[ManualU] : (byte)128;
            v = isFixed ? registers[ManualV] : (byte)128;
            negative = (registers[Tslb] & Negative) != 0;
            mirror = (registers[Mvfp] & Mirror) != 0;
            flip = (registers[Mvfp] & Flip) != 0;
            var range = registers[Com15] >> 6;
            lowest = range < 2 ? (byte)0x10 : range == 2 ? (byte)0x01 : (byte)0x00;
            highest = range < 2 ? (byte)0xF0 : range == 2 ? (byte)0xFE : (byte)0xFF;
        }

        private static int Source(int at, int first, int count, int full, int available, bool reverse)
        {
            var index = first + (reverse ? count - 1 - at : at);
            return index * available / full;
        }

        private readonly int fullWidth;
        private readonly int fullHeight;
        private int left;
        private int top;
        private int lumaAt;
        private int vAtOdd;
        private byte u;
        private byte v;
        private byte lowest;
        private byte highest;
        private bool negative;
        private bool mirror;
        private bool flip;

        public const int SceneWidth = 160;
        public const int SceneHeight = 120;
        public const int FrameLines = 510;
        public const int LinePixels = 784;
        public const int VSyncLines = 3;

        private const int FirstVisibleLine = 20;
        private const int ArrayWidth = 640;
        private const int ArrayHeight = 480;
        private const int FirstPixel = 158;
        private const int FirstLine = 10;

        private const int Vref = 0x03;
        private const int Com3 = 0x0C;
        private const int Com7 = 0x12;
        private const int HStart = 0x17;
        private const int HStop = 0x18;
        private const int VStart = 0x19;
        private const int VStop = 0x1A;
        private const int Mvfp = 0x1E;
        private const int Href = 0x32;
        private const int Tslb = 0x3A;
        private const int Com13 = 0x3D;
        private const int Com14 = 0x3E;
        private const int Com15 = 0x40;
        private const int ManualU = 0x67;
        private const int ManualV = 0x68;
        private const int ScalingDcwctr = 0x72;

        private const int DownSampling = 1 << 2;
        private const int ManualScaling = 1 << 4;
        private const int Cif = 1 << 5;
        private const int Qvga = 1 << 4;
        private const int Qcif = 1 << 3;
        private const int Rgb = 1 << 2;
        private const int ColourBars = 1 << 1;
        private const int Raw = 1 << 0;
        private const int SwapChroma = 1 << 0;
        private const int ChromaFirst = 1 << 3;
        private const int FixedChroma = 1 << 4;
        private const int Negative = 1 << 5;
        private const int Mirror = 1 << 5;
        private const int Flip = 1 << 4;
    }
}
